// A conversation as it grows: answers written before the reader's eyes, messages of other tabs.

import { Answer, announce, isLive } from "./answer.js"

const HIDDEN = 30000 // a tab out of sight gives its connection back after this many ms
const SILENCE = 8000 // a live answer without events is looked at after this many ms
const LOOK = 2500 // ms between two looks where events cannot come
const NEAR = 120 // px from the end that count as reading along
const LASTED = 30000 // ms after which a connection counts as a good one
const PAUSE = 500
const LONGEST_PAUSE = 15000

const root = document.documentElement
const list = document.getElementById("messages")
const jump = document.getElementById("jump")
const composer = document.getElementById("composer")
const halt = composer.querySelector(".halt")
const send = composer.querySelector(".send")
const past = "past" in list.dataset // an earlier page is shown: new messages belong elsewhere

// The page's messages

const answers = new Map()

function answer(id) {
  const article = document.getElementById(`m${id}`)
  if (!article?.dataset.status) return null
  if (answers.get(id)?.article !== article) answers.set(id, new Answer(article))
  return answers.get(id)
}

function liveAnswers() {
  return [...list.querySelectorAll("[data-status]")].filter(isLive).map((article) => answer(Number(article.dataset.message)))
}

async function load(url) {
  const response = await fetch(url, { headers: { "HX-Request": "true" } })
  if (!response.ok) {
    document.dispatchEvent(new CustomEvent("refused", { detail: response.status }))
    throw new Error(`${response.status} for ${url}`)
  }
  const part = document.createElement("template")
  part.innerHTML = await response.text()
  return part.content
}

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
  if (!known || (isLive(article) && !force && isKnown(article.dataset, known))) return
  const along = following()
  const focused = known.article.contains(document.activeElement)
  known.article.replaceWith(article)
  added(article)
  if (focused) composer.querySelector("textarea").focus({ preventScroll: true })
  if (!isLive(article)) {
    known.speak(article.querySelector("[data-blocks]"))
    announce(article.dataset.status === "complete" ? "The answer is complete." : article.querySelector("[data-state] p").textContent)
  }
  settle(along)
}

// True where a live answer, as the server has it, brings nothing that is not in sight.
function isKnown({ attempt, length, status }, known) {
  if (known.streaming) return Number(attempt) <= known.attempt && Number(length) <= known.received
  const shown = known.article.dataset
  return attempt === shown.attempt && length === shown.length && status === shown.status
}

async function fetchNewer() {
  if (past) return
  const articles = list.querySelectorAll(".message")
  const newest = articles[articles.length - 1]?.dataset.message ?? 0
  const part = await load(`${list.dataset.messages}?after=${newest}`)
  const along = following()
  for (const article of part.querySelectorAll("article")) {
    if (document.getElementById(article.id)) continue
    list.append(article)
    added(article)
  }
  settle(along)
}

function added(article) {
  htmx.process(article)
  article.dispatchEvent(new CustomEvent("dress", { bubbles: true }))
}

// Text was missed. The stream is read again from the attempt's beginning, once; if that cannot
// mend it, the checkpoints that the server keeps are shown instead.
const mended = new Map()

async function mend(known) {
  const { at = 0, times = 0 } = mended.get(known.id) ?? {}
  if (Date.now() - at < LOOK) return
  mended.set(known.id, { at: Date.now(), times: times + 1 })
  await refresh(known.id, true)
  const start = answer(known.id)?.article.dataset.start
  if (times || !start || !answer(known.id).live) return
  cursor = start
  reconnect()
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
  done({ m, a }) {
    if (answer(m)?.accepts(a)) refresh(m, true)
  },
  message({ m }) {
    if (document.getElementById(`m${m}`)) return
    if (sending) announced = m
    else fetchNewer().catch(() => {})
  },
  title({ t }) {
    document.getElementById("title").textContent = t
    document.title = `${t} · chatsite`
    const link = document.querySelector("#sidebar [data-conversation][aria-current]")
    if (link) link.textContent = t
  },
  reset() {
    for (const known of liveAnswers()) refresh(known.id, true)
    fetchNewer().catch(() => {})
  },
  bye() {
    reconnect()
  },
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
  for (const [kind, data] of events) handlers[kind](data)
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
addEventListener("scroll", () => (jump.hidden = following()), { passive: true })

// Forms of this page

halt.addEventListener("click", () => list.querySelector(".stop button:enabled")?.click())

list.addEventListener("htmx:after:request", ({ target, detail: { ctx } }) => {
  if (!target.matches(".stop") || ctx.response.status >= 300) return
  target.querySelector("button").disabled = true
  answer(Number(target.closest(".message").dataset.message)).say("Stopping…")
})

// While our own message is on its way, its event has nothing to tell that the answer does not bring.
let sending = false
let announced = 0

composer.addEventListener("htmx:before:request", () => (sending = true))
composer.addEventListener("htmx:finally:request", () => {
  sending = false
  if (announced) handlers.message({ m: announced })
  announced = 0
})

let rest = 0 // px below the top of what is seen, kept when earlier messages come in above

document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  rest = ctx.sourceElement.closest(".earlier") ? root.scrollHeight - root.scrollTop : 0
  // An event may have added what the form's answer brings: each message is shown once.
  for (const { fragment, swapSpec } of tasks) {
    if (swapSpec?.style !== "beforeend") continue
    for (const article of fragment.querySelectorAll("article")) if (document.getElementById(article.id)) article.remove()
  }
})

list.addEventListener("htmx:after:settle", ({ detail: { task } }) => {
  if (rest) root.scrollTop = root.scrollHeight - rest
  rest = 0
  settle(Boolean(task.sourceElement?.closest("#composer")))
})

if (!location.hash && !past) root.scrollTop = root.scrollHeight
settle(false)
connect()
