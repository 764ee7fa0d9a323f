// The page of a site that is not available just now: looks whether it is, and shows what was asked for.

const PAUSE = 3000 // ms

async function look() {
  const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => null)
  if (answer && answer.status < 500) location.reload()
  else setTimeout(look, PAUSE)
}

setTimeout(look, PAUSE)
