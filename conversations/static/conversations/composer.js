// The box one types in: Enter sends, drafts survive everything but being sent.

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
  if (box.value.trim()) sent = box.value
  else event.preventDefault()
})

composer.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (ctx.response.status >= 300) return
  document.getElementById("problems").replaceChildren()
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
