// Results of the gallery: sharing, photos that come in later, and the next page while scrolling.

const FIRST_LOOK = 5_000
const LONGEST_PAUSE = 120_000
const NEXT_TRY = 10_000

const grid = document.querySelector(".grid")
const more = () => document.querySelector("[data-more]")

for (const button of document.querySelectorAll("[data-share]")) {
  button.hidden = false
  button.addEventListener("click", () => share(button))
}

async function share(button) {
  const url = new URL(button.dataset.share, location.href).href
  if (navigator.share) {
    try {
      await navigator.share({ title: button.dataset.title, url })
      return
    } catch (error) {
      if (error.name === "AbortError") return
    }
  }
  await copy(url)
  const text = (button.dataset.label ??= button.textContent) // pressed again, it says "Copied"
  button.textContent = button.dataset.copied
  button.setAttribute("aria-live", "polite")
  setTimeout(() => { button.textContent = text }, 2500)
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    window.prompt("", text) // no clipboard without a secure connection
  }
}

const ids = () => new Set([...grid.children].map((item) => item.dataset.id))

async function page(address) {
  const answer = await fetch(address)
  if (!answer.ok) throw new Error(answer.status)
  return new DOMParser().parseFromString(await answer.text(), "text/html")
}

// A page that lay aside for so long that its links to pictures are no longer valid

const pictures = document.querySelector("[data-valid-for]")
const written = Date.now()
for (const [where, what] of [[document, "visibilitychange"], [window, "pageshow"], [window, "online"]]) {
  where.addEventListener(what, () => {
    const old = Date.now() - written > 1000 * pictures.dataset.validFor
    if (old && navigator.onLine && !document.hidden) location.reload()
  })
}

// Photos that come in later

function watch() {
  const fresh = document.querySelector("[data-fresh]")
  let shown = Number(grid.dataset.total)
  let known = null // what marks the photos that are shown
  let added = 0
  let pause = FIRST_LOOK
  let timer = 0

  async function look() {
    try {
      const answer = await fetch(grid.dataset.live, { cache: "no-cache" })
      if (!answer.ok) return plan()
      const { total, mark } = await answer.json()
      added = total - shown
      known ??= added ? "of others" : mark
      const others = added !== 0 || mark !== known
      if (others && fresh.hidden) pause = FIRST_LOOK
      fresh.hidden = !others
      const text = added <= 0 ? fresh.dataset.others : added === 1 ? fresh.dataset.one : fresh.dataset.many.replace("{number}", added.toLocaleString(document.documentElement.lang))
      if (fresh.textContent !== text) fresh.textContent = text
    } catch {
      // no network: look again later
    }
    plan()
  }

  function plan() {
    clearTimeout(timer)
    pause = Math.min(pause * 1.4, LONGEST_PAUSE)
    timer = setTimeout(look, pause)
  }

  fresh.addEventListener("click", async () => {
    if (!shown) return location.reload() // to the page with everything that goes with photos
    fresh.disabled = true
    try {
      const { found, items } = await again()
      const anew = found.querySelector(".grid")
      if (!items.length) return location.reload()
      const before = ids()
      const first = items.find((item) => !before.has(item.dataset.id))
      grid.className = anew.className
      grid.replaceChildren(...items)
      for (const place of ["[data-count]", ".more", ".empty"]) {
        const now = found.querySelector(place)
        const old = document.querySelector(place)
        if (old && now) old.replaceWith(now)
        else if (old) old.remove()
        else if (now) grid.after(now)
      }
      shown = Number(anew.dataset.total)
      grid.dataset.total = anew.dataset.total
      known = null
      fresh.hidden = true
      follow()
      const target = first ? first.querySelector("a") : document.querySelector("main")
      target.focus({ preventScroll: true })
      if (first) target.scrollIntoView({ block: "center" })
    } catch {
      location.reload()
    } finally {
      fresh.disabled = false
    }
  })

  // As many photos as are shown, and on where more came and none of them is new: they are in the race's order
  async function again() {
    const items = new Map()
    let address = grid.dataset.page
    for (;;) {
      const found = await page(address)
      for (const item of found.querySelectorAll(".grid > li")) items.set(item.dataset.id, item)
      address = found.querySelector("[data-more]")?.getAttribute("href")
      const before = ids()
      const enough = items.size >= before.size && (added <= 0 || [...items.keys()].some((id) => !before.has(id)))
      if (enough || !address) return { found, items: [...items.values()] }
    }
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer)
    if (document.hidden) return
    pause = FIRST_LOOK
    look()
  })
  timer = setTimeout(look, FIRST_LOOK)
}

// The next page, a little before the end of this one is reached

function follow() {
  const link = more()
  if (!link) return
  const seen = new IntersectionObserver(async (entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return
    seen.disconnect()
    try {
      const found = await page(link.href)
      const known = ids()
      const next = [...found.querySelectorAll(".grid > li")]
      grid.append(...next.filter((item) => !known.has(item.dataset.id)))
      const way = found.querySelector(".more")
      if (way) link.parentElement.replaceWith(way)
      else link.parentElement.remove()
      follow()
    } catch {
      // the link stays: it works without us
      await Promise.race([
        new Promise((resolve) => { setTimeout(resolve, NEXT_TRY) }),
        new Promise((resolve) => { addEventListener("online", resolve, { once: true }) }),
      ])
      if (link.isConnected) follow()
    }
  }, { rootMargin: "1200px" })
  seen.observe(link)
}

if (grid) {
  watch()
  follow()
} else {
  // Back from a photo's page that the viewer's address was reloaded into: to the browser both are
  // one document, which it leaves as it is
  const here = location.pathname
  addEventListener("popstate", () => { if (location.pathname !== here) location.reload() })
}
