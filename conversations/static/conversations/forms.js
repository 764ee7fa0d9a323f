// Forms of a conversation: the box one types in, and the buttons of messages.

// The box: Enter sends, drafts survive everything but being sent.

const composer = document.getElementById("composer")
const box = composer.querySelector("textarea")
const draft = `draft:${composer.dataset.draft}`
const touch = matchMedia("(pointer: coarse)")
let sent = null

// A refused form comes back with its text: that is newer than the draft.
if (box.value) keep()
else box.value = localStorage.getItem(draft) ?? ""
grow()
if (!touch.matches) box.focus({ preventScroll: true })

// A page that the browser has kept comes with a key that may be used up: each showing gets its own.
addEventListener("pageshow", () => {
  for (const input of document.querySelectorAll("input[name=key]")) input.value = key()
})

function key() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
}

box.addEventListener("input", () => {
  keep()
  grow()
})

box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch.matches) return
  event.preventDefault()
  composer.requestSubmit()
})

composer.addEventListener("htmx:config:request", (event) => {
  const hasFiles = document.querySelector("#files input[name=attached]") !== null
  if (!(box.value.trim() || hasFiles) || attachments?.isSending()) event.preventDefault()
  else sent = box.value
  waits = Boolean(attachments?.isSending()) // files alone are a message too
})

composer.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (ctx.response.status >= 300) return
  document.getElementById("problems").replaceChildren()
  attachments?.clear()
  if (box.value !== sent) return // typed on meanwhile
  box.value = ""
  keep()
  grow()
})

function keep() {
  try {
    if (box.value) localStorage.setItem(draft, box.value)
    else localStorage.removeItem(draft)
  } catch {
    // Storage is full or forbidden: the text still stands in the box.
  }
}

function grow() {
  if (CSS.supports("field-sizing: content")) return
  box.style.height = "auto"
  box.style.height = `${box.scrollHeight}px`
}

// Files: chosen, dropped or pasted. Their module is fetched when the first one comes.

const picker = document.getElementById("upload")
const FILES = `files:${composer.dataset.draft}`
let attachments = null
let waits = false // a message that was to be sent while a file was still on its way

async function withFiles(act) {
  attachments ??= await import("./attachments.js")
  act(attachments)
}

if (localStorage.getItem(FILES) || document.querySelector("#files li")) withFiles((module) => module.restore())

picker.addEventListener("change", () => {
  const files = [...picker.files]
  picker.value = "" // or they would be sent again with the form
  withFiles((module) => module.add(files))
})

composer.addEventListener("uploaded", () => {
  if (waits && !attachments.isSending()) composer.requestSubmit()
})

box.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files]
  if (!files.length) return
  event.preventDefault()
  withFiles((module) => module.add(files))
})

for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return
    event.preventDefault() // a file that misses the box must not replace the page
    composer.classList.toggle("dropping", kind === "dragover")
    const files = [...event.dataTransfer.files]
    if (kind === "drop") withFiles((module) => module.add(files))
  })
}

// Buttons that act on messages. What comes back is told as "acted": `kind` says what it is.
// "from": all messages from a place on. "replace": this message. "stop": this message, perhaps still going.

document.addEventListener("submit", async (event) => {
  const { target: form, submitter: button } = event
  const kind = button?.dataset.act ?? form.dataset.act
  if (!kind) return
  event.preventDefault()
  const body = new URLSearchParams(new FormData(form, button))
  const address = button.hasAttribute("formaction") ? button.formAction : form.action
  button.disabled = true
  if (kind === "stop") tell("stopping", button)
  tell("acting", 1)
  try {
    await act({ kind, button, form, answer: await fetch(address, { method: "POST", body, headers: { "HX-Request": "true" } }) })
  } catch {
    tell("refused", 0)
  } finally {
    button.disabled = false
    tell("acting", -1)
  }
})

async function act({ kind, button, form, answer }) {
  const text = await answer.text()
  if (answer.status === 422) form.replaceWith(content(text))
  else if (answer.ok) tell("acted", { kind, button, part: content(text) })
  else tell("refused", [409, 429].includes(answer.status) ? text : answer.status)
}

function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }))
}

function content(html) {
  const part = document.createElement("template")
  part.innerHTML = html
  return part.content
}

// Editing takes place where the message stands.

document.addEventListener("click", async (event) => {
  const opener = event.target.closest("a[data-edit]")
  const closer = event.target.closest(".message [data-cancel]")
  if (event.metaKey || event.ctrlKey || !(opener || closer)) return
  event.preventDefault()
  if (closer) closeEditor(closer)
  else await openEditor(opener)
})

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest(".message .edit")) closeEditor(event.target)
})

async function openEditor(opener) {
  const message = opener.closest(".message")
  if (message.querySelector(".edit")) return
  const answer = await fetch(opener.href, { headers: { "HX-Request": "true" } }).catch(() => null)
  if (!answer?.ok) return tell("refused", answer?.status ?? 0)
  message.append(content(await answer.text()))
  message.classList.add("editing")
  const box = message.querySelector(".edit :is(textarea, select)")
  box.focus()
  if (box.matches("textarea")) box.setSelectionRange(box.value.length, box.value.length)
}

function closeEditor(part) {
  const message = part.closest(".message")
  message.querySelector(".edit").remove()
  message.classList.remove("editing")
  message.querySelector("[data-edit]").focus()
}
