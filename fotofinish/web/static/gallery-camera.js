// The selfie: the camera in the page where the browser has one, and pictures made small before
// they are sent, so that a bad network carries them. Without this script the form works as it is.

const LONG_SIDE = 1280
const QUALITY = 0.9
const LONGEST_ANSWER = 30_000 // after it the form may be sent again

const form = document.querySelector("[data-selfie]")
const view = form.querySelector("[data-view]")
const video = view.querySelector("video")
const canvas = view.querySelector("canvas")
const said = form.querySelector("[data-said]")
const [native, file] = form.querySelectorAll("input[type=file]")
const open = form.querySelector("[data-camera]")
const shoot = form.querySelector("[data-shoot]")
const again = form.querySelector("[data-again]")
let stream = null
let turn = 0 // of several pictures and cameras that were asked for, only the latest goes on
let sentUntil = 0

if (navigator.mediaDevices?.getUserMedia) {
  form.querySelector("[data-native]").hidden = true
  open.hidden = false
}
open.addEventListener("click", start)
again.addEventListener("click", start)

async function start() {
  const mine = ++turn
  let got
  try {
    got = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: { ideal: LONG_SIDE } } })
  } catch {
    said.textContent = said.dataset.refused
    form.querySelector("[data-native]").hidden = false
    open.hidden = true
    return
  }
  if (mine !== turn) return end(got)
  stop()
  stream = got
  view.hidden = video.hidden = shoot.hidden = false
  canvas.hidden = again.hidden = true
  shoot.disabled = true
  video.srcObject = stream
  await video.play()
  shoot.disabled = false
  shoot.focus()
}

function stop() {
  if (stream) end(stream)
  stream = null
}

function end(taken) {
  for (const track of taken.getTracks()) track.stop()
}

shoot.addEventListener("click", async () => {
  if (!video.videoWidth) return
  if (!await keep(video, video.videoWidth, video.videoHeight, native, ++turn)) return
  file.value = ""
  stop()
  present(true)
  const next = form.elements.consent.checked ? form.querySelector("button:not([type])") : form.elements.consent
  next.focus()
})

for (const input of [native, file]) {
  input.addEventListener("change", async () => {
    const mine = ++turn
    const [picture] = input.files
    for (const other of [native, file]) {
      other.parentElement.classList.toggle("picked", other === input && Boolean(picture))
      if (other !== input) other.value = ""
    }
    stop()
    view.hidden = true
    said.textContent = ""
    if (!picture) return
    try {
      const bitmap = await createImageBitmap(picture)
      if (await keep(bitmap, bitmap.width, bitmap.height, input, mine)) present(false)
    } catch {
      if (mine === turn) said.textContent = said.dataset.ready // a kind that this browser cannot show, but we may read
    }
  })
}

// The picture as it will be sent; one of the camera as in a mirror, as it was seen
function present(mirrored) {
  view.hidden = canvas.hidden = false
  video.hidden = shoot.hidden = true
  again.hidden = !mirrored
  canvas.classList.toggle("mirrored", mirrored)
}

// Whether the picture is what will be sent: not if another was asked for meanwhile
async function keep(source, width, height, input, mine) {
  if (mine !== turn) return false
  const scale = Math.min(1, LONG_SIDE / Math.max(width, height))
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height)
  const blob = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", QUALITY) })
  if (mine !== turn) return false
  const transfer = new DataTransfer()
  transfer.items.add(new File([blob], "selfie.jpg", { type: "image/jpeg" }))
  input.files = transfer.files
  said.textContent = said.dataset.ready
  return true
}

// Pressed again, the button sends no second selfie, whose result nobody would be shown
form.addEventListener("submit", (event) => {
  if (performance.now() < sentUntil) return event.preventDefault()
  sentUntil = performance.now() + LONGEST_ANSWER
  said.textContent = said.dataset.wait
})
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return
  sentUntil = 0
  said.textContent = ""
})
addEventListener("pagehide", () => {
  turn++
  stop()
})
