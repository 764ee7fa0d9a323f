// Every page: choice of colours, local times, copy buttons, dialogs, words for failed requests.

const root = document.documentElement
const words = JSON.parse(document.querySelector("meta[name=words]").content)

// Colours: the server writes the choice into <html>, so a page never flashes. A cookie keeps it here, and
// the form takes it to the account of who is signed in.
for (const choice of document.querySelectorAll("[data-theme-choice]")) {
  choice.hidden = false
  for (const input of choice.querySelectorAll("input")) input.checked = input.value === (root.dataset.theme ?? "")
  choice.addEventListener("change", (event) => {
    const theme = event.target.value
    if (theme) root.dataset.theme = theme
    else delete root.dataset.theme
    document.cookie = `theme=${theme}; path=/; samesite=lax; max-age=${theme ? 31536000 : 0}`
    if (choice.elements.csrfmiddlewaretoken) keep(choice)
  })
}

const post = (address, body) => fetch(address, { method: "POST", body, headers: { "HX-Request": "true" }, keepalive: true })

async function keep(form) {
  try {
    const response = await post(form.action, new FormData(form))
    if (!response.ok) refused(response.status)
  } catch {
    refused(0)
  }
}

// Time zone: what was chosen, else the device's. The server is told of that by a cookie, and once a window it
// is asked to keep it for who is signed in and has chosen none.
const device = Intl.DateTimeFormat().resolvedOptions().timeZone
let timeZone = root.dataset.zone || undefined
try {
  new Date().toLocaleString("en", { timeZone })
} catch {
  timeZone = undefined // a name that this browser does not know
}
if (device && !document.cookie.split("; ").includes(`time_zone=${device}`)) {
  document.cookie = `time_zone=${device}; path=/; samesite=lax; max-age=31536000`
}
const teller = document.querySelector("[data-zones]")
if (device && teller && !root.dataset.zone && !sessionStorage.zone) {
  const body = new FormData(teller)
  body.set("time_zone", device)
  post(teller.dataset.zones, body).then(({ ok }) => ok && (sessionStorage.zone = device)).catch(() => {})
}
const hint = document.querySelector("[data-device-zone]")
const zones = document.getElementById("id_time_zone")
if (hint && device && zones.value !== device && [...zones.options].some(({ value }) => value === device)) {
  const sentence = hint.querySelector("span")
  sentence.textContent = sentence.dataset.template.replace("{zone}", device)
  hint.querySelector("button").addEventListener("click", () => (zones.value = device))
  hint.hidden = false
}

// A page that comes back as it was left is shown to who is signed in now, if to anybody.
addEventListener("pageshow", async ({ persisted }) => {
  const own = document.querySelector(".sidebar-search")
  if (!persisted || !own) return
  const answer = await fetch(own.action, { method: "HEAD", headers: { "HX-Request": "true" } }).catch(() => null)
  if (answer?.status === 401) location.reload()
})

// Dialogs: a link to a page with a form opens the same form here.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("a[data-dialog]")
  const closer = event.target.closest("dialog [data-close]")
  if (event.metaKey || event.ctrlKey || !(opener || closer)) return
  event.preventDefault()
  if (closer) closer.closest("dialog").close()
  else document.getElementById(opener.dataset.dialog).showModal()
})

// Keys: a letter does what the element with that data-key does, at the message that has the focus or
// else at the newest. Nothing happens while somebody types, in a dialog, or where they are turned off.
const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]"
const MOVES = { j: 1, k: -1, l: Infinity }

document.addEventListener("keydown", (event) => {
  const { key, target, ctrlKey, altKey } = event
  // Where brackets stand behind AltGr, which is Ctrl with Alt, or behind Option, those are how one types them.
  const typed = altKey && (key === "[" || key === "]")
  if (event.defaultPrevented || event.isComposing || event.metaKey || (!typed && (ctrlKey || altKey))) return
  if (document.querySelector("dialog[open]") || /(^|; )shortcuts=off/.test(document.cookie)) return
  const leaves = key === "Escape" && target.id === "text"
  if (!leaves && (key.length > 1 || target.closest(TYPING))) return
  if (leaves ? move(Infinity) : key in MOVES ? move(MOVES[key]) : !event.repeat && press(key)) event.preventDefault()
})

const messageInFocus = () => document.activeElement.closest(".message")

function press(key) {
  const here = messageInFocus()
  const all = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter(({ disabled, hidden }) => !disabled && !hidden)
  const found = all.find((element) => here?.contains(element)) ?? all.at(-1)
  if (!found) return false
  if (!found.matches(TYPING)) found.click()
  else {
    if (!found.checkVisibility()) found.closest("[popover]")?.showPopover()
    found.focus()
  }
  return true
}

function move(by) {
  const all = [...document.querySelectorAll(".message")]
  if (!all.length) return false
  const now = all.indexOf(messageInFocus())
  const to = all[by === Infinity || now < 0 ? all.length - 1 : now + by]
  const more = to ? null : document.querySelector(by < 0 ? "[data-earlier]" : "[data-later]")
  if (more) more.click()
  if (!to) return Boolean(more)
  to.tabIndex = -1
  to.focus({ preventScroll: true })
  to.scrollIntoView({ block: by === Infinity ? "end" : "nearest" })
  return true
}

// The sheet of keys comes when it is asked for; where it cannot, its page is opened.
document.addEventListener("click", async (event) => {
  const opener = event.target.closest("a[data-sheet]")
  if (event.metaKey || event.ctrlKey || !opener) return
  event.preventDefault()
  const answer = await fetch(opener.href, { headers: { "HX-Request": "true" } }).catch(() => null)
  if (!answer?.ok) return location.assign(opener.href)
  const part = document.createElement("template")
  part.innerHTML = await answer.text()
  const sheet = part.content.querySelector("dialog")
  sheet.addEventListener("close", () => sheet.remove())
  document.body.append(sheet)
  sheet.showModal()
})

// Live region: a sentence at a time; it is emptied so that a later visit does not read old ones.
const announcer = document.getElementById("announcer")
document.addEventListener("announce", ({ detail }) => {
  const line = document.createElement("p")
  line.textContent = detail
  announcer.append(line)
  setTimeout(() => line.remove(), 10000)
})

// What was added: local times, copy buttons, colours in code.
const day = (moment) => moment.toLocaleDateString("en", { timeZone })

function dress(part) {
  for (const time of part.querySelectorAll("time")) {
    const then = new Date(time.dateTime)
    // "Answered before, on …" promises a date.
    const today = day(then) === day(new Date()) && !time.closest(".again")
    time.title = then.toLocaleString(root.lang, { timeZone })
    time.textContent = then.toLocaleString(root.lang, { dateStyle: today ? undefined : "medium", timeStyle: "short", timeZone })
  }
  for (const button of part.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard
  for (const block of part.querySelectorAll(".prose pre:not(.code > pre)")) frame(block)
}

function frame(block) {
  const code = block.querySelector("code")
  const language = /language-([\w+#-]+)/.exec(code?.className)?.[1] ?? ""
  const box = document.createElement("div")
  const head = document.createElement("div")
  const name = document.createElement("span")
  box.className = "code"
  head.className = "code-head"
  name.textContent = language || words.text
  head.append(name)
  if (navigator.clipboard) {
    const button = document.createElement("button")
    Object.assign(button, { type: "button", className: "link", textContent: words.copy })
    button.dataset.copyCode = ""
    head.append(button)
  }
  block.tabIndex = 0
  block.replaceWith(box)
  box.append(head, block)
  if (code?.firstChild?.data) colour(code.firstChild, language)
}

// Code in colours: comments, strings, numbers and the words that most languages share. Marked by the
// browser's own highlights, so the text stays as it was sent.
const COMMENTS = [
  [/#.*/, "python py bash sh shell zsh console ruby rb perl r yaml yml toml ini conf dockerfile makefile elixir nix graphql"],
  [/\/\/.*|\/\*[^]*?\*\//, "javascript js jsx typescript ts tsx java c cpp c++ csharp cs go rust rs swift kotlin scala php dart css scss json json5"],
  [/--.*|\/\*[^]*?\*\//, "sql postgresql mysql lua haskell hs"],
  [/<!--[^]*?-->/, "html xml svg"],
]
const STRING = /"""[^]*?"""|'''[^]*?'''|`(?:\\.|[^`\\])*`|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/
const KEYWORDS = new Set(
  `abstract and as assert async await begin bool boolean break by case catch char class const continue create def default defer del
  delete do done double echo elif else elsif end enum except export extends false False fi finally float fn for foreach from func
  function go group having if impl import in include insert int interface into is join lambda let limit long loop match mod module mut
  namespace new nil None nonlocal not null on or order override package pass print private protected pub public raise range require
  return select self set static string struct super switch table template then this throw trait true True try type typeof union unless
  until update use using values var void where while with yield`.split(/\s+/),
)
const LONGEST = 20000 // characters; more stays plain

// What a swap took out of the page would be held, with its whole answer, for as long as the page is open.
function forgetGone() {
  for (const highlight of CSS.highlights?.values() ?? []) {
    for (const range of highlight) if (!range.startContainer.isConnected) highlight.delete(range)
  }
}

function colour(text, language) {
  const [comment] = COMMENTS.find(([, languages]) => languages.split(" ").includes(language.toLowerCase())) ?? []
  if (!CSS.highlights || !comment || text.length > LONGEST) return
  const token = new RegExp(`(?<comment>${comment.source})|(?<string>${STRING.source})|(?<number>\\b\\d[\\w.]*)|(?<word>[A-Za-z_]\\w*)`, "g")
  for (const { index, 0: found, groups } of text.data.matchAll(token)) {
    if (groups.word && !KEYWORDS.has(/sql/.test(language) ? found.toLowerCase() : found)) continue
    const kind = Object.keys(groups).find((name) => groups[name])
    if (!CSS.highlights.has(kind)) CSS.highlights.set(kind, new Highlight())
    CSS.highlights.get(kind).add(new StaticRange({ startContainer: text, startOffset: index, endContainer: text, endOffset: index + found.length }))
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-code]")
  if (!button) return
  const source = button.closest(".code")?.querySelector("pre") ?? button.closest(".message").querySelector(".prose")
  const before = button.textContent
  try {
    await navigator.clipboard.writeText(plainText(source))
    button.textContent = words.copied
    if (document.activeElement !== button) document.dispatchEvent(new CustomEvent("announce", { detail: words.copied }))
  } catch {
    button.textContent = words.copyFailed
  }
  setTimeout(() => (button.textContent = before), 2000)
})

function plainText(source) {
  if (source.tagName === "PRE") return source.textContent
  const copy = source.cloneNode(true)
  for (const head of copy.querySelectorAll(".code-head")) head.remove()
  for (const formula of copy.querySelectorAll("math[alttext]")) {
    const mark = formula.getAttribute("display") === "block" ? "$$" : "$"
    formula.replaceWith(`${mark}${formula.getAttribute("alttext")}${mark}`)
  }
  copy.className = "visually-hidden"
  document.body.append(copy) // innerText follows the layout, which needs a place in the page
  const text = copy.innerText
  copy.remove()
  return text
}

dress(document)
document.addEventListener("dress", ({ target }) => {
  forgetGone()
  dress(target)
})
document.addEventListener("htmx:after:settle", ({ detail }) => {
  forgetGone()
  for (const node of detail.newContent ?? []) if (node.querySelectorAll) dress(node)
})

// A failed request leaves the page as it is and says why; only the server's own words replace parts.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail
  if (!ctx.response || ctx.response.status < 400 || ctx.hx?.retarget) return
  event.preventDefault()
  refused(ctx.response.status)
})
document.addEventListener("refused", ({ detail }) => refused(detail))
document.addEventListener("htmx:error", () => refused(0))

function refused(status) {
  complain(typeof status === "string" ? status : words[status] ?? words.error)
}

function complain(sentence) {
  const place = document.getElementById("problems")
  if (!place) return
  const [before, link, after] = sentence.split(/<\/?a>/)
  const line = document.createElement("p")
  line.append(before)
  if (link) line.append(Object.assign(document.createElement("a"), { textContent: link, href: "/accounts/login/", target: "_blank" }), after)
  place.replaceChildren(line)
}

// Parts that change by themselves are fetched anew, until they are as they will stay.
const AGAIN = 3000 // ms

function watch(part) {
  if (part) setTimeout(() => again(part), AGAIN)
}

async function again(part) {
  const answer = await fetch(location.href).catch(() => null)
  if (!answer?.ok) return watch(part)
  const now = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id)
  if (!now) return
  part.replaceChildren(...now.childNodes)
  if ("again" in now.dataset) watch(part)
}

watch(document.querySelector("[data-again]"))
