// One answer being written, from events that may repeat and may be missed.
//
// Offsets count UTF-16 units of the answer's Markdown: what is known is skipped, a gap is reported.

// What is said, in the language of the page.
export const words = JSON.parse(document.querySelector("meta[name=chat-words]").content)

export const isLive = (article) => ["pending", "running"].includes(article.dataset.status)

export function announce(sentence) {
  document.dispatchEvent(new CustomEvent("announce", { detail: sentence }))
}

class Answer {
  constructor(article) {
    this.article = article
    this.id = Number(article.dataset.message)
    this.attempt = Number(article.dataset.attempt)
    this.live = isLive(article)
    this.blocks = article.querySelector("[data-blocks]")
    this.tools = article.querySelector(".tools")
    this.spoken = 0 // blocks that the live region has read
    this.streaming = false
  }

  // False for events of an attempt that is over. A new attempt may begin after any end.
  accepts(attempt) {
    if (attempt < this.attempt || (attempt === this.attempt && !this.live)) return false
    if (attempt > this.attempt) {
      this.attempt = attempt
      this.live = true
      this.article.dataset.status = "running"
      this.restart()
    }
    return true
  }

  begin() {
    if (!this.streaming) this.restart()
  }

  restart() {
    this.streaming = true
    this.checkpoint = true // what the page came with stays in sight until there is more
    this.received = 0 // the text is known up to here
    this.closed = 0 // and shown as finished blocks up to here
    this.tail = ""
    this.spoken = 0
    this.writing = false
    this.tools.replaceChildren()
    this.say(words.thinking, true)
  }

  // False where the text before `offset` is missing.
  text(offset, text) {
    if (!this.streaming && offset > 0) return false
    this.begin()
    if (offset > this.received) return false
    if (offset + text.length <= this.received) return true
    if (!this.writing) this.say(words.writing)
    this.writing = true
    this.tail += text.slice(this.received - offset)
    this.received = offset + text.length
    return true
  }

  // The text up to `offset` is final, and `html` is how its last blocks look.
  block(offset, html) {
    if (!this.streaming || offset > this.received) return false
    if (offset <= this.closed) return true
    this.dropCheckpoint()
    const part = document.createElement("template")
    part.innerHTML = html
    this.blocks.append(part.content)
    this.tail = this.tail.slice(offset - this.closed)
    this.closed = offset
    this.speak(this.blocks)
    this.blocks.dispatchEvent(new CustomEvent("dress", { bubbles: true }))
    return true
  }

  dropCheckpoint() {
    if (this.checkpoint) this.blocks.replaceChildren()
    this.checkpoint = false
  }

  tool({ n, name, state, ms }) {
    this.begin()
    const line = this.tools.children[n - 1] ?? this.tools.appendChild(document.createElement("p"))
    const called = words.tools[name] ?? name.replaceAll("_", " ")
    line.className = `tool brief ${state}`
    line.textContent = state === "running" ? `${called}…` : state === "asking" ? called : `${called} · ${words[state]} · ${ms} ms`
    this.say(state === "running" ? words.using.replace("{tool}", called) : state === "asking" ? words.asking : words.thinking, state === "running")
    this.writing = false
  }

  // So many come before it in the queue.
  waits(ahead) {
    const shown = this.article.dataset
    if (this.streaming || shown.status !== "pending" || Number(shown.ahead) === ahead) return
    shown.ahead = ahead
    this.say(ahead ? words.ahead.replace("{place}", ahead + 1) : words.waiting)
  }

  held(seconds) {
    this.begin()
    this.say(seconds ? words.held.replace("{seconds}", Math.ceil(seconds)) : words.thinking)
    this.writing = false
  }

  draw() {
    if (!this.streaming) return
    if (this.received) this.dropCheckpoint()
    const place = this.article.querySelector(".tail") ?? this.addTail()
    place.textContent = this.tail.replace(/^\n+/, "")
  }

  addTail() {
    const place = document.createElement("p")
    place.className = "tail"
    this.blocks.after(place)
    return place
  }

  // True where the server, whose article has these data, knows no more than is in sight.
  shows({ attempt, length, status, ahead }) {
    if (this.streaming) return Number(attempt) <= this.attempt && Number(length) <= this.received
    const shown = this.article.dataset
    return attempt === shown.attempt && length === shown.length && status === shown.status && ahead === shown.ahead
  }

  // True where the server's article with these data was drawn before what events have told since.
  isNewerThan({ attempt, status }) {
    if (Number(attempt) !== this.attempt) return Number(attempt) < this.attempt
    return status === "running" && (this.streaming || !this.live)
  }

  // What it is doing now; `aloud` where no finished block will tell it.
  say(sentence, aloud = false) {
    const line = this.article.querySelector("[data-state] p")
    if (!line) return
    if (aloud && line.textContent !== sentence) announce(sentence)
    line.className = "writing"
    line.textContent = sentence
  }

  // Reads what nobody has heard yet of these blocks.
  speak(blocks) {
    const all = [...blocks.children]
    for (const block of all.slice(this.spoken)) announce(block.innerText)
    this.spoken = all.length
  }
}

const answers = new Map()

// The answer with that message id as it stands in the page, or null.
export function answer(id) {
  const article = document.getElementById(`m${id}`)
  if (!article?.dataset.status) return null
  if (answers.get(id)?.article !== article) answers.set(id, new Answer(article))
  return answers.get(id)
}

export function liveAnswers() {
  return [...document.querySelectorAll(".message[data-status]")].filter(isLive).map((article) => answer(Number(article.dataset.message)))
}

// A part of a page. What is refused is said, and thrown.
export async function load(url) {
  const response = await fetch(url, { headers: { "HX-Request": "true" } })
  if (!response.ok) {
    document.dispatchEvent(new CustomEvent("refused", { detail: response.status }))
    throw new Error(`${response.status} for ${url}`)
  }
  const part = document.createElement("template")
  part.innerHTML = await response.text()
  return part.content
}
