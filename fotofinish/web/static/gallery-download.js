// Originals as a ZIP: choosing photos, progress, and going on by itself after a lost network.
// What is too large for a phone's memory, the browser downloads alone.

const MOST_HERE = 400 * 1024 * 1024
const MOST_CHOSEN = 200
const TRIES = 8

const grid = document.querySelector(".grid")
const choose = document.querySelector("[data-choose]")
const bar = document.querySelector("[data-chosen]")
const transfer = document.querySelector("[data-transfer]")
const label = transfer.querySelector("label")
const progress = transfer.querySelector("progress")
const stop = transfer.querySelector("[data-stop]")
const stopLabel = stop.textContent
const single = document.querySelector("[data-get]") // in the full-screen view
const chosen = new Set()
let running = null

if (choose) {
  choose.hidden = false
  choose.addEventListener("click", () => {
    const on = choose.getAttribute("aria-pressed") !== "true"
    choose.setAttribute("aria-pressed", on)
    document.body.classList.toggle("choosing", on)
    if (!on) chosen.clear()
    markAll(on)
    tell()
  })
}
// photos that came in later, or with the next page
new MutationObserver(() => {
  if (document.body.classList.contains("choosing")) markAll(true)
}).observe(grid, { childList: true })

// before the viewer's own listener, which leaves alone what is dealt with
grid.addEventListener("click", (event) => {
  const link = event.target.closest("li > a")
  if (!link || !document.body.classList.contains("choosing")) return
  event.preventDefault()
  toggle(link)
}, { capture: true })
grid.addEventListener("keydown", (event) => {
  const link = event.target.closest("li > a")
  if (event.key !== " " || !link || !document.body.classList.contains("choosing")) return
  event.preventDefault()
  toggle(link)
})

function toggle(link) {
  const { id } = link.parentElement.dataset
  const full = chosen.size === MOST_CHOSEN
  if (!chosen.delete(id) && !full) chosen.add(id)
  mark(link, true)
  tell(full && chosen.size === MOST_CHOSEN)
}

function markAll(choosing) {
  for (const link of grid.querySelectorAll("li > a")) mark(link, choosing)
}

function mark(link, choosing) {
  if (choosing) {
    link.setAttribute("role", "checkbox")
    link.setAttribute("aria-checked", chosen.has(link.parentElement.dataset.id))
  } else {
    link.removeAttribute("role")
    link.removeAttribute("aria-checked")
  }
}

function tell(refused = false) {
  const text = bar.querySelector("p")
  const number = chosen.size
  bar.hidden = !number
  const many = refused ? text.dataset.most : text.dataset.many
  text.textContent = number === 1 ? text.dataset.one : many.replace("{number}", number)
  const zip = new URL("photos.zip", new URL(grid.dataset.page, location.href))
  zip.searchParams.set("p", [...chosen].map(short).join("."))
  bar.querySelector("a").href = zip
}

function short(id) {
  const bytes = id.replaceAll("-", "").match(/../g).map((pair) => parseInt(pair, 16))
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").slice(0, 22)
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-zip]")
  if (!link || link.dataset.plain) return
  event.preventDefault()
  if (!running) take(link.href)
})
stop.addEventListener("click", () => {
  running?.abort()
  transfer.hidden = true
})

addEventListener("beforeunload", (event) => {
  if (running) event.preventDefault()
})

async function take(address) {
  running = new AbortController()
  single.download = "" // no page that is left for it
  transfer.hidden = false
  stop.textContent = stopLabel
  progress.removeAttribute("value")
  say(label.dataset.doing, 0, 0)
  try {
    const head = await fetch(address, { method: "HEAD", signal: running.signal })
    if (!head.ok) throw new Error(head.status)
    const size = Number(head.headers.get("Content-Length"))
    if (size > MOST_HERE) {
      transfer.hidden = true
      running = null // the browser's from here on: the page may be left
      location.assign(address)
      return
    }
    const parts = await receive(address, size, head.headers.get("ETag"), running.signal)
    const name = /filename="([^"]+)"/.exec(head.headers.get("Content-Disposition"))?.[1]
    save(new Blob(parts, { type: "application/zip" }), name ?? "photos.zip")
    label.textContent = label.dataset.done
    setTimeout(() => { if (!running) transfer.hidden = true }, 6000)
  } catch (error) {
    if (error.name !== "AbortError") label.textContent = label.dataset.failed
  } finally {
    running = null
    single.removeAttribute("download")
    stop.textContent = stop.dataset.closeLabel
  }
}

async function receive(address, size, etag, signal) {
  const parts = []
  let got = 0
  let failures = 0
  while (got < size) {
    try {
      const headers = got ? { Range: `bytes=${got}-`, "If-Range": etag } : {}
      const answer = await fetch(address, { headers, signal })
      if (!answer.ok) throw new Error(answer.status)
      if (answer.status === 200) parts.length = got = 0 // from the start
      if (answer.headers.get("ETag") !== etag) { // more photos are in it now
        size = Number(answer.headers.get("Content-Length"))
        etag = answer.headers.get("ETag")
      }
      const reader = answer.body.getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        parts.push(value)
        got += value.length
        failures = 0
        progress.max = size
        progress.value = got
        say(label.dataset.doing, got, size)
      }
      if (got < size) throw new Error("cut off")
    } catch (error) {
      if (error.name === "AbortError" || ++failures > TRIES) throw error
      label.textContent = label.dataset.waiting
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, 500 * 2 ** failures)
        signal.addEventListener("abort", () => { clearTimeout(timer); resolve() }, { once: true })
      })
    }
  }
  return parts
}

function say(text, got, size) {
  const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} MB`
  const now = size ? text.replace("{done}", megabytes(got)).replace("{all}", megabytes(size)) : label.dataset.starting
  if (now !== label.textContent) label.textContent = now
}

function save(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.dataset.plain = "yes"
  link.addEventListener("click", (event) => event.stopPropagation())
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
