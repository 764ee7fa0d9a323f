// A conversation as it grows: answers written before the reader's eyes, messages of other tabs.

// The semicolon is for collectstatic, which finds imports by it.
import { announce, answer, isLive, liveAnswers, load, words } from "./answer.js";

const HIDDEN = 30000 // a tab out of sight gives its connection back after this many ms
const SILENCE = 8000 // a live answer without events is looked at after this many ms
const LOOK = 2500 // ms between two looks where events cannot come
const MEND = 300 // ms between two tries to find where an answer's events begin
const HELD = 500 // events kept for a message that the page does not have yet
const NEAR = 120 // px from the end that count as reading along
const LASTED = 30000 // ms after which a connection counts as a good one
const PAUSE = 500
const LONGEST_PAUSE = 15000

const root = document.documentElement
const list = document.getElementById("messages")
const jump = document.getElementById("jump")
const apart = document.getElementById("apart")
const composer = document.getElementById("composer")
const halt = composer.querySelector(".halt")
const send = composer.querySelector(".send")
const branch = composer.elements.branch // the one that is shown; what is sent follows its last message

// True where new messages belong elsewhere: earlier ones, or a version that is not shown now, are here.
const past = () => "hidden" in list.dataset || Boolean(list.querySelector("[data-later]"))

// The page's messages

const loading = new Map()

// Shows a message as the server has it; without `force` only where that is more than is shown.
function refresh(id, force) {
  const turn = (loading.get(id) ?? Promise.resolve()).then(() => replace(id, force)).catch(() => {})
  loading.set(id, turn)
  turn.then(() => loading.get(id) === turn && loading.delete(id))
  return turn
}

async function replace(id, force) {
  const article = (await load(`${list.dataset.messages}${id}/`)).querySelector("article")
  const known = answer(id)
  if (!known || (isLive(article) && !force && known.shows(article.dataset))) return
  put(known, article)
}

// `pressed` is the button that asked for it: while it was disabled, focus was nowhere.
function put(known, article, pressed = null) {
  const along = following()
  const active = pressed ?? (known.article.contains(document.activeElement) && document.activeElement)
  const ended = known.live || known.article.dataset.status !== article.dataset.status
  known.article.replaceWith(article)
  added(article)
  if (active) same(article, active).focus({ preventScroll: true })
  if (!isLive(article) && ended) {
    known.speak(article.querySelector("[data-blocks]"))
    announce(article.dataset.status === "complete" ? words.complete : article.querySelector("[data-state] p").textContent.trim())
  }
  settle(along)
}

// What stands in the new article where `active` stood in the old one, or the article itself.
function same(article, active) {
  const label = active.getAttribute("aria-label")
  article.tabIndex = -1
  return (label && article.querySelector(`button[aria-label="${CSS.escape(label)}"]:enabled`)) || article
}

// A question with files that have been read meanwhile.
async function redraw(id) {
  const shown = document.querySelector(`#m${id} .files`)
  if (!shown) return
  const part = await load(`${list.dataset.messages}${id}/`).catch(() => null)
  const files = part?.querySelector(".files")
  if (files) shown.replaceWith(files)
}

const place = (article) => Number(article.dataset.place)
const articles = () => [...list.querySelectorAll(".message")]

// Shows what now stands from a place on: new messages, or another version and what followed it.
async function follow(from = Infinity) {
  if (past()) return
  const first = Math.min(from, 1 + Math.max(0, ...articles().map(place)))
  showFrom(first, await load(`${list.dataset.messages}?from=${first}`))
}

function showFrom(first, part, anew = false) {
  const along = following()
  const ids = new Set([...part.querySelectorAll("article")].map((article) => article.id))
  dropFrom(first, ids)
  for (const node of [...part.children]) {
    const known = ids.has(node.id) && document.getElementById(node.id)
    if (known && anew) renew(node)
    if (known) continue
    list.append(node)
    added(node)
  }
  chosen()
  settle(along)
}

// Focus goes with what it was in.
function focus(article) {
  article.tabIndex = -1
  article.focus({ preventScroll: true })
}

function dropFrom(first, but = new Set()) {
  for (const article of articles()) {
    if (place(article) < first || but.has(article.id)) continue
    article.remove()
    elsewhere.add(Number(article.dataset.message))
  }
}

// What is sent next belongs to the branch that is in sight.
function chosen() {
  const last = articles().at(-1)
  if (last && branch) branch.value = last.dataset.branch
}

function added(article) {
  elsewhere.delete(Number(article.dataset.message))
  htmx.process(article)
  if (!article.dataset.message) return
  article.dispatchEvent(new CustomEvent("dress", { bubbles: true }))
  release(article)
}

// Text was missed: the page came after the first events, or they are lost. The stream is read again
// from the attempt's beginning, once that is known; if that cannot mend it, the checkpoints that the
// server keeps are shown as they come.
const mended = new Map()

async function mend({ id }) {
  const { at = 0, from = "" } = mended.get(id) ?? {}
  if (Date.now() - at < (from ? LOOK : MEND)) return
  mended.set(id, { at: Date.now(), from })
  await refresh(id, true)
  const { live, article } = answer(id) ?? {}
  if (!live || !article.dataset.start || article.dataset.start === from) return
  mended.set(id, { at: Date.now(), from: article.dataset.start })
  cursor = article.dataset.start
  disconnect()
  connect()
}

// Events

const handlers = {
  begin({ m, a }) {
    const known = answer(m)
    if (known?.accepts(a)) known.begin()
  },
  text({ m, a, o, t }) {
    const known = answer(m)
    if (known?.accepts(a) && !known.text(o, t)) mend(known)
  },
  block({ m, a, o, h }) {
    const known = answer(m)
    if (known?.accepts(a) && !known.block(o, h)) mend(known)
  },
  tool({ m, a, ...run }) {
    const known = answer(m)
    if (known?.accepts(a)) known.tool(run)
  },
  held({ m, a, s }) {
    const known = answer(m)
    if (known?.accepts(a)) known.held(s)
  },
  ahead({ m, n }) {
    answer(m)?.waits(n)
  },
  done({ m, a }) {
    if (answer(m)?.accepts(a)) refresh(m, true)
  },
  state({ m }) {
    if (answer(m)) refresh(m, true)
    else redraw(m)
  },
  message({ m, p }) {
    if (document.getElementById(`m${m}`)) return
    if (sending) announced = { m, p }
    else follow(p).catch(() => {})
  },
  title({ t }) {
    document.getElementById("title").textContent = t
    document.title = `${t} · chatsite`
    const name = document.querySelector("#sidebar [aria-current] [data-title]")
    if (name) name.textContent = t
  },
  reset() {
    for (const known of liveAnswers()) refresh(known.id, true)
    follow().catch(() => {})
  },
  bye() {
    reconnect()
  },
  // Newer pages of the same user have taken its place: it looks now and then until it is used again.
  crowded() {
    disconnect()
    apart.hidden = false
    announce(apart.firstElementChild.textContent)
  },
}

// A fast answer begins, and even ends, before the page has its message: its events wait here.
const held = new Map()
const elsewhere = new Set() // answers that are written in other versions of the conversation

function deliver(kind, data) {
  if (elsewhere.has(data.m) && kind !== "message") return
  if (kind === "ahead") return handlers.ahead(data)
  const absent = data.m && kind !== "message" && !document.getElementById(`m${data.m}`)
  if (!absent) handlers[kind](data)
  else if (!past()) held.set(data.m, [...(held.get(data.m) ?? []), [kind, data]].slice(-HELD))
}

// What the page still does not have after a look that went well belongs to another version.
function leave() {
  for (const id of held.keys()) elsewhere.add(id)
  held.clear()
}

function release(article) {
  const id = Number(article.dataset.message)
  const events = held.get(id) ?? []
  held.delete(id)
  for (const [kind, data] of events) handlers[kind](data)
}

let queue = []
let frame = 0

function receive(kind, event) {
  lastEvent = Date.now()
  cursor = event.lastEventId || cursor
  queue.push([kind, JSON.parse(event.data)])
  // A tab out of sight has no frames to draw in, but keeps up.
  if (document.hidden) drain()
  else frame ||= requestAnimationFrame(drain)
}

function drain() {
  frame = 0
  const along = following()
  const events = queue
  queue = []
  for (const [kind, data] of events) deliver(kind, data)
  for (const known of liveAnswers()) known.draw()
  settle(along)
}

// The connection

let source = null
let cursor = list.dataset.after
let opened = 0
let pause = PAUSE
let hiddenTimer = 0
let lastEvent = Date.now()

function connect() {
  if (source || document.hidden) return
  apart.hidden = true
  opened = Date.now()
  source = new EventSource(`${list.dataset.events}?after=${encodeURIComponent(cursor)}`)
  for (const kind of Object.keys(handlers)) source.addEventListener(kind, (event) => receive(kind, event))
}

function disconnect() {
  source?.close()
  source = null
}

let waiting = 0

function reconnect() {
  disconnect()
  pause = Date.now() - opened > LASTED ? PAUSE : Math.min(pause * 2, LONGEST_PAUSE)
  clearTimeout(waiting)
  waiting = setTimeout(connect, pause * (0.5 + Math.random() / 2))
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer)
  if (document.hidden) hiddenTimer = setTimeout(disconnect, HIDDEN)
  else connect()
})
addEventListener("pagehide", disconnect)
addEventListener("pageshow", (event) => event.persisted && connect())

// Where events do not come (Redis away, no ASGI server, a proxy that holds them back) look instead.
setInterval(() => {
  if (document.hidden) return
  const open = source?.readyState === EventSource.OPEN
  if (source?.readyState === EventSource.CLOSED) reconnect()
  if (held.size && !sending) follow().then(leave).catch(() => {})
  if (open && Date.now() - lastEvent < SILENCE) return
  lastEvent = Date.now()
  for (const known of liveAnswers()) if (!loading.has(known.id)) refresh(known.id, false)
}, LOOK)

// Reading along

function following() {
  return root.scrollHeight - root.clientHeight - root.scrollTop < NEAR
}

function settle(along) {
  if (along) root.scrollTop = root.scrollHeight
  jump.hidden = following()
  const live = liveAnswers().length > 0
  halt.hidden = !live
  send.hidden = live
}

jump.addEventListener("click", () => settle(true))
apart.addEventListener("click", ({ target }) => {
  if (!target.matches("button")) return
  connect()
  composer.elements.text.focus()
})

// A page that opens at its end stays there while heights settle: far messages get theirs when they are
// near, code gets its head.
let atEnd = !location.hash && !past()
let seen = 0 // where the page was scrolled to: growing below moves nothing, a reader goes up
new ResizeObserver(() => atEnd && (root.scrollTop = root.scrollHeight)).observe(list)

addEventListener("scroll", () => {
  jump.hidden = following()
  if (root.scrollTop < seen && !jump.hidden) atEnd = false
  seen = root.scrollTop
}, { passive: true })

// Forms of this page

halt.addEventListener("click", () => list.querySelector("[data-act=stop]:enabled")?.click())

document.addEventListener("acted", ({ detail: { kind, button, part } }) => {
  const article = part.querySelector("article")
  if (kind === "from") switched(article, part, button)
  else {
    if (kind !== "stop" || !isLive(article)) return renew(article, button)
    setTimeout(() => (button.disabled = true)) // after the form's own end
  }
})

// Said at once, whatever the network takes.
document.addEventListener("stopping", ({ detail: button }) => {
  answer(Number(button.closest(".message").dataset.message))?.say(words.stopping, true)
})

function renew(article, pressed) {
  const known = answer(Number(article.dataset.message))
  if (known && !known.isNewerThan(article.dataset)) put(known, article, pressed)
}

function switched(article, part, button) {
  const label = button.getAttribute("aria-label")
  showFrom(place(article), part, true)
  const same = label && article.querySelector(`[aria-label="${label}"]:enabled, .versions :enabled`)
  if (same) same.focus({ preventScroll: true })
  else focus(article)
  if (label) announce(words.version.replace("{number}", article.querySelector("[data-version]").textContent))
  article.scrollIntoView({ block: "nearest" })
  settle(isLive(list.lastElementChild))
}

// While our own message is on its way, its event has nothing to tell that the answer does not bring.
let sending = 0
let announced = null

function busy(change) {
  sending += change
  if (sending) return
  if (announced) handlers.message(announced)
  announced = null
}

composer.addEventListener("htmx:before:request", () => busy(1))
composer.addEventListener("htmx:before:request", connect)
composer.addEventListener("htmx:finally:request", () => busy(-1))
document.addEventListener("acting", ({ detail }) => busy(detail))

let rest = 0 // px below the top of what is seen, kept when earlier messages come in above

document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  rest = ctx.sourceElement.matches("[data-earlier]") ? root.scrollHeight - root.scrollTop : 0
  atEnd &&= !rest
  // An event may have added what the form's answer brings: each message is shown once.
  for (const { fragment, swapSpec } of tasks) {
    if (swapSpec?.style !== "beforeend") continue
    for (const article of fragment.querySelectorAll("article")) if (document.getElementById(article.id)) article.remove()
  }
})

list.addEventListener("htmx:after:settle", ({ detail: { task, newContent } }) => {
  for (const node of newContent) if (node.matches?.(".message")) release(node)
  if (rest) root.scrollTop = root.scrollHeight - rest
  rest = 0
  chosen()
  settle(Boolean(task.sourceElement?.closest("#composer")))
})

settle(atEnd)
connect()
