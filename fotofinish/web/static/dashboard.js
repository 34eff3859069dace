// What the pages do by themselves: copy ids, send no form twice, choose what is filled in, fill in the
// time zone, and keep an event's numbers fresh.

const LONGEST_ANSWER = 30_000; // after it, or after Escape, a form may be sent again

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const copied = await copy(button.dataset.copy);
  button.classList.toggle("copied", copied);
  say(copied ? "Copied" : "Copying is not allowed here; select the text instead.");
  setTimeout(() => button.classList.remove("copied"), 1600);
});

async function copy(text) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(() => true, () => false);
  }
  // without https there is no clipboard object; the old way still works
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "hidden";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}

// A line that is read out and shown for a moment.
function say(text) {
  let line = document.querySelector(".toast");
  if (!line) {
    line = document.createElement("p");
    line.className = "toast";
    line.setAttribute("role", "status");
    document.body.append(line);
  }
  line.textContent = text;
  line.classList.add("shown");
  clearTimeout(line.timer);
  line.timer = setTimeout(() => line.classList.remove("shown"), 1600);
}

// A form beside the one that is sent loses what was changed in it: that is asked first.
document.addEventListener("submit", (event) => {
  const others = [...document.querySelectorAll("form[data-unsaved]")].filter((form) => form !== event.target);
  const question = others.find(isChanged)?.dataset.unsaved;
  if (question && !confirm(question)) event.preventDefault();
});

function isChanged(form) {
  return [...form.querySelectorAll("input")].some((field) =>
    field.matches("[type=checkbox], [type=radio]") ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);
}

// A button that is pressed again while the answer is on its way makes no second event, key or link.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if ("sent" in form.dataset) return event.preventDefault();
  form.dataset.sent = "";
  setTimeout(() => delete form.dataset.sent, LONGEST_ANSWER);
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Who fills in what belongs to a choice has made that choice.
document.addEventListener("input", ({ target }) => {
  if (target.dataset.chooses && target.value) target.form.querySelector(target.dataset.chooses).checked = true;
});

// A file that would be refused for its size is not sent at all.
document.addEventListener("change", ({ target }) => {
  if (!target.dataset.most) return;
  const large = [...target.files].some((file) => file.size > Number(target.dataset.most));
  target.setCustomValidity(large ? target.dataset.tooLarge : "");
  target.reportValidity();
});

const zone = document.querySelector("[data-zone]");
if (zone && !zone.value) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

// A key was made by the form that led here: reloading must not make another one.
const fresh = document.querySelector("[data-address]");
if (fresh) history.replaceState(null, "", fresh.dataset.address);
else if (new URLSearchParams(location.search).has("done")) {
  const address = new URL(location.href);
  address.searchParams.delete("done");
  history.replaceState(null, "", address);
}

const live = document.getElementById("live");
if (live) schedule();

function schedule() {
  setTimeout(refresh, 1000 * Number(live.dataset.every));
}

async function refresh() {
  if (document.hidden) {
    document.addEventListener("visibilitychange", refresh, { once: true });
    return;
  }
  try {
    const answer = await fetch(live.dataset.live);
    // the session has ended, or the event is gone
    if (answer.redirected || answer.status === 404) return location.reload();
    if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // the server is away for a moment: the next round asks again
  }
  schedule();
}

// Whether somebody is at something in there; what was copied is done with.
function held(part) {
  const { activeElement } = document;
  return part.contains(activeElement) && !activeElement.matches("[data-copy]");
}

function take(page) {
  const fresher = page.getElementById("live");
  if (!fresher) return;
  live.dataset.every = fresher.dataset.every;
  for (const part of fresher.querySelectorAll("[data-part]")) {
    const shown = live.querySelector(`[data-part="${part.dataset.part}"]`);
    // what somebody is about to press stays in its place
    if (shown.isEqualNode(part) || held(shown)) continue;
    for (const item of part.querySelectorAll("[data-key]")) {
      const known = shown.querySelector(`[data-key="${item.dataset.key}"]`);
      if (known?.isEqualNode(item)) item.replaceWith(known);
    }
    shown.replaceWith(part);
  }
}
