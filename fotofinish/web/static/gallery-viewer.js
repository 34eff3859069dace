// One photo full screen: swipe, pinch, keys; the back button closes it, focus returns to the grid.
// It has the photo's own address, so that it can be shared and reloaded.

const viewer = document.querySelector(".viewer")
const grid = document.querySelector(".grid")
const stage = viewer.querySelector(".stage")
const image = stage.querySelector("img")
const place = viewer.querySelector("[data-place]")
const MOST_ZOOM = 5
const SWIPE = 60

let current = null
let view = { scale: 1, x: 0, y: 0 }
const fingers = new Map()
let start = null
let tapped = 0
let left = false // by the address: closing must not change it once more

const home = location.pathname
const written = (number) => Number(number).toLocaleString(document.documentElement.lang)
const links = () => [...grid.querySelectorAll("li > a")]

grid.addEventListener("click", (event) => {
  const link = event.target.closest("li > a")
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  history.pushState({ viewer: true }, "", link.href)
  viewer.showModal()
  show(link)
})

function show(link) {
  current = link
  const all = links()
  const small = link.querySelector("img")
  reset()
  image.src = small.currentSrc || small.src
  image.alt = small.alt
  enlarge(link)
  const at = all.indexOf(link) + 1
  const number = Number(grid.dataset.before) + at
  place.textContent = viewer.dataset.position
    .replace("{number}", written(number)).replace("{total}", written(grid.dataset.total))
  limit()
  viewer.querySelector("[data-share]").dataset.share = link.href + viewer.dataset.key
  viewer.querySelector("[data-remove]").href = `${new URL(link.href).pathname}?remove#remove` // ?: a page to load
  const get = viewer.querySelector("[data-get]")
  if (get) get.href = `${new URL(link.href).pathname}/download`
  history.replaceState({ viewer: true }, "", link.href)
  const next = all[at]
  if (next) new Image().src = next.dataset.medium
}

function enlarge(link) {
  const large = new Image()
  large.onload = () => { if (current === link) image.src = large.src }
  large.onerror = () => {
    addEventListener("online", () => { if (current === link) enlarge(link) }, { once: true })
  }
  large.src = link.dataset.medium
}

function limit() {
  const all = links()
  const at = all.indexOf(current)
  viewer.querySelector("[data-before]").disabled = at === 0
  viewer.querySelector("[data-after]").disabled = at === all.length - 1
}

// the next page may arrive while the last photo of this one is looked at
new MutationObserver(() => { if (viewer.open) limit() }).observe(grid, { childList: true })

function step(by) {
  const all = links()
  const next = all[all.indexOf(current) + by]
  if (!next) return
  next.scrollIntoView({ block: "nearest" })
  show(next)
}

viewer.querySelector("[data-before]").addEventListener("click", () => step(-1))
viewer.querySelector("[data-after]").addEventListener("click", () => step(1))
viewer.querySelector("[data-close]").addEventListener("click", () => history.back())
viewer.addEventListener("cancel", (event) => { event.preventDefault(); history.back() })
addEventListener("popstate", () => {
  if (location.pathname === home) {
    left = viewer.open
    return viewer.close()
  }
  const link = links().find(({ pathname }) => pathname === location.pathname)
  if (!link) return location.reload()
  if (!viewer.open) viewer.showModal()
  show(link)
})
viewer.addEventListener("close", () => {
  if (!left && location.pathname !== home) history.back() // a second Escape closes without asking us
  left = false
  if (viewer.open) return // forward again, before this was told
  image.removeAttribute("src")
  current?.focus()
})
// everywhere: a button that was pressed and is disabled now has lost the focus to the page
addEventListener("keydown", (event) => {
  if (!viewer.open || event.altKey || event.ctrlKey || event.metaKey) return
  const keys = { ArrowRight: 1, ArrowLeft: -1, PageDown: 1, PageUp: -1 }
  if (event.key in keys) { event.preventDefault(); step(keys[event.key]) }
  if (event.key === "+" || event.key === "=") zoom(view.scale * 1.5)
  if (event.key === "-") zoom(view.scale / 1.5)
  if (event.key === "0") reset()
})

function reset() {
  view = { scale: 1, x: 0, y: 0 }
  draw()
}

function zoom(scale, at = { x: stage.clientWidth / 2, y: stage.clientHeight / 2 }) {
  const wanted = Math.min(Math.max(scale, 1), MOST_ZOOM)
  const factor = wanted / view.scale
  const middle = { x: stage.clientWidth / 2, y: stage.clientHeight / 2 }
  view.x = (view.x - (at.x - middle.x)) * factor + (at.x - middle.x)
  view.y = (view.y - (at.y - middle.y)) * factor + (at.y - middle.y)
  view.scale = wanted
  draw()
}

function draw() {
  const spare = (size, room) => Math.max(0, (size * view.scale - room) / 2)
  if (view.scale > 1) {
    const across = spare(image.clientWidth, stage.clientWidth)
    const down = spare(image.clientHeight, stage.clientHeight)
    view.x = Math.min(Math.max(view.x, -across), across)
    view.y = Math.min(Math.max(view.y, -down), down)
  } else if (!fingers.size) {
    view.x = view.y = 0
  }
  image.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`
}

const apart = ([one, two]) => Math.hypot(one.x - two.x, one.y - two.y)
const between = ([one, two]) => ({ x: (one.x + two.x) / 2, y: (one.y + two.y) / 2 })

stage.addEventListener("pointerdown", (event) => {
  stage.setPointerCapture(event.pointerId)
  fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
  start = { x: event.clientX, y: event.clientY, many: fingers.size > 1 || start?.many }
})

stage.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId)
  if (!before) return
  const now = { x: event.clientX, y: event.clientY }
  if (fingers.size === 2) {
    const was = apart([...fingers.values()])
    fingers.set(event.pointerId, now)
    const is = [...fingers.values()]
    if (was > 0) zoom(view.scale * apart(is) / was, between(is))
    return
  }
  fingers.set(event.pointerId, now)
  view.x += now.x - before.x
  if (view.scale > 1) view.y += now.y - before.y
  draw()
})

function lift(event) {
  if (!fingers.delete(event.pointerId) || fingers.size) return
  const [across, down] = [event.clientX - start.x, event.clientY - start.y]
  const still = Math.hypot(across, down) < 10
  const alone = !start.many
  start = null
  if (view.scale === 1) {
    draw()
    if (alone && event.type === "pointerup") {
      if (Math.abs(across) > SWIPE && Math.abs(across) > Math.abs(down)) return step(across < 0 ? 1 : -1)
      if (down > 2 * SWIPE && down > 2 * Math.abs(across)) return history.back()
    }
  }
  if (!still || !alone) return
  if (event.timeStamp - tapped < 350) {
    if (view.scale > 1) reset()
    else zoom(2.5, { x: event.clientX, y: event.clientY })
  }
  tapped = event.timeStamp
}
stage.addEventListener("pointerup", lift)
stage.addEventListener("pointercancel", lift)
stage.addEventListener("wheel", (event) => {
  event.preventDefault()
  zoom(view.scale * (event.deltaY < 0 ? 1.2 : 1 / 1.2), { x: event.clientX, y: event.clientY })
}, { passive: false })
