// Files beside the text that is being written: each is sent at once, by itself, with its progress.

const composer = document.getElementById("composer")
const picker = document.getElementById("upload")
const list = document.getElementById("files")
const key = `files:${composer.dataset.draft}`
const LOOK = 1500 // ms between two looks at a file that is being read
const words = picker.dataset
let sending = 0

export const isSending = () => sending > 0

export function add(files) {
  for (const file of files) send(file, line(file.name))
}

function line(name) {
  const chip = document.createElement("li")
  const [title, state, bar] = ["span", "span", "progress"].map((tag) => document.createElement(tag))
  chip.className = "file file-sending"
  title.className = "file-name"
  title.textContent = name
  state.className = "file-state"
  state.textContent = words.busy
  Object.assign(bar, { max: 1, value: 0, ariaLabel: name })
  chip.append(title, state, bar)
  list.append(chip)
  return chip
}

// Fetch tells nothing of how much has gone out.
function send(file, chip) {
  const request = new XMLHttpRequest()
  const body = new FormData()
  body.append("upload", file)
  body.append("csrfmiddlewaretoken", composer.elements.csrfmiddlewaretoken.value)
  request.upload.addEventListener("progress", ({ loaded, total }) => (chip.querySelector("progress").value = loaded / total))
  request.addEventListener("load", () => arrived(request, chip))
  request.addEventListener("error", () => refused(chip, words.gone))
  request.addEventListener("loadend", () => {
    sending -= 1
    composer.dispatchEvent(new CustomEvent("uploaded"))
  })
  sending += 1
  request.open("POST", words.upload)
  request.setRequestHeader("HX-Request", "true")
  request.send(body)
}

function arrived(request, chip) {
  if (request.status === 201) place(chip, request.responseText)
  else if (request.status === 422) refused(chip, request.responseText)
  else {
    chip.remove()
    document.dispatchEvent(new CustomEvent("refused", { detail: request.status }))
  }
}

function refused(chip, problem) {
  chip.className = "file file-failed"
  chip.querySelector("progress").remove()
  chip.querySelector(".file-state").textContent = problem
  const button = document.createElement("button")
  Object.assign(button, { type: "button", className: "link", textContent: words.remove })
  button.dataset.remove = ""
  chip.append(button)
  document.dispatchEvent(new CustomEvent("announce", { detail: `${chip.querySelector(".file-name").textContent}: ${problem}` }))
}

function place(chip, html) {
  const part = document.createElement("template")
  part.innerHTML = html
  const now = part.content.querySelector("li")
  chip.replaceWith(now)
  dress(now)
  remember()
}

function dress(chip) {
  const button = chip.querySelector("[data-remove]")
  if (button) button.hidden = false
  if (chip.dataset.unread) setTimeout(() => look(chip), LOOK)
}

async function look(chip) {
  if (!chip.isConnected) return
  const answer = await fetch(chip.dataset.unread, { headers: { "HX-Request": "true" } }).catch(() => null)
  if (!chip.isConnected) return
  if (answer?.ok) place(chip, await answer.text())
  else setTimeout(() => look(chip), 4 * LOOK)
}

// A reload keeps the files, as it keeps the text.
function remember() {
  const numbers = [...list.querySelectorAll("[data-file]")].map((chip) => chip.dataset.file)
  try {
    if (numbers.length) localStorage.setItem(key, numbers.join())
    else localStorage.removeItem(key)
  } catch {
    // Storage is full or forbidden: the files still stand in the list.
  }
}

export function clear() {
  list.replaceChildren()
  picker.value = ""
  remember()
}

export async function restore() {
  for (const chip of list.querySelectorAll("[data-file]")) dress(chip)
  const shown = new Set([...list.querySelectorAll("[data-file]")].map((chip) => chip.dataset.file))
  const numbers = (localStorage.getItem(key) ?? "").split(",").filter((number) => /^[\da-f-]{36}$/.test(number) && !shown.has(number))
  for (const number of numbers) {
    const answer = await fetch(`${words.upload}${number}/chip/`, { headers: { "HX-Request": "true" } }).catch(() => null)
    const html = answer?.ok ? await answer.text() : ""
    if (!html.includes('name="attached"')) continue // sent from another tab, or removed
    const chip = document.createElement("li")
    list.append(chip)
    place(chip, html)
  }
  remember()
}

list.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-remove]")
  if (!button) return
  const chip = button.closest("li")
  const address = button.dataset.remove
  chip.remove()
  remember()
  picker.focus()
  if (!address) return
  const body = new URLSearchParams({ csrfmiddlewaretoken: composer.elements.csrfmiddlewaretoken.value })
  await fetch(address, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null)
})
