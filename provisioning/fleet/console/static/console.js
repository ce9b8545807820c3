// Refreshes the parts of a page that are marked `data-live="seconds"`, and opens the menu on a wide screen. Nothing on any
// page needs it.
"use strict";

const wide = window.matchMedia("(min-width: 47.01rem)");
const menu = document.querySelector("nav.parts details");

function unfold() {
  if (menu) menu.open = wide.matches;
}

unfold();
wide.addEventListener("change", unfold);

const live = document.querySelectorAll("[data-live]");
const every = Math.min(...Array.from(live, (part) => Number(part.dataset.live)));

// A part in which somebody stands, with a cursor or an open fold, is left alone.
function isBusy(part) {
  return part.contains(document.activeElement) || part.querySelector("details[open]") !== null;
}

async function lookAgain() {
  if (document.hidden) return;
  const answer = await fetch(window.location.href, { headers: { "X-Looks-Again": "1" } });
  if (answer.redirected) window.location.reload(); // signed out: nothing stays readable on the glass
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(part.id);
    if (fresh && !isBusy(part) && fresh.innerHTML !== part.innerHTML) part.innerHTML = fresh.innerHTML;
  }
}

if (live.length) setInterval(() => lookAgain().catch(() => {}), every * 1000);
