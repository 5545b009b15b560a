// Questions that follow from answers: the next one appears in place. Without this file the page is loaded again instead.

const main = document.getElementById("main");

// "None of these" and the others exclude each other.
function exclude() {
  for (const group of main.querySelectorAll("fieldset[data-none]")) {
    const boxes = [...group.querySelectorAll("input[type=checkbox]")];
    const none = boxes.find((box) => box.id === group.dataset.none);
    const others = boxes.filter((box) => box !== none);
    none.addEventListener("change", () => none.checked && others.forEach((box) => (box.checked = false)));
    for (const box of others) box.addEventListener("change", () => box.checked && (none.checked = false));
  }
}

async function send(form, button) {
  const answer = await fetch(form.action, {
    method: "POST",
    body: new URLSearchParams(new FormData(form, button)),
    headers: { Accept: "text/html" },
  });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.querySelector("form[data-asks]");
  if (!next && answer.redirected) return location.assign(answer.url);
  if (answer.status === 429 || answer.status >= 500) throw new Error(answer.status);
  document.title = page.title;
  const turn = document.getElementById("turn"); // it counts on, and knows what it has said
  main.replaceChildren(...page.getElementById("main").childNodes);
  if (turn) main.querySelector("#turn")?.replaceWith(turn);
  const tongues = page.querySelector(".tongues"); // it sends the form along, where there is one
  if (tongues) document.querySelector(".tongues")?.replaceWith(tongues);
  listen();
  const focus = main.querySelector("[autofocus]") ?? main.querySelector("h1");
  if (focus.tagName === "H1") focus.tabIndex = -1;
  focus.focus();
  (focus.closest("fieldset, .field") ?? focus).scrollIntoView({ block: "start" });
}

function listen() {
  exclude();
  const form = main.querySelector("form[data-asks]");
  if (!form) return;
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    const address = button?.getAttribute("formaction");
    if (address || button?.name === "lang") return; // more time, another language: a page of its own
    event.preventDefault();
    if (form.dataset.sent) return;
    form.dataset.sent = "1";
    try {
      await send(form, button);
    } catch {
      form.querySelector(".asks-news").textContent = form.dataset.away;
    }
    delete form.dataset.sent;
  });
}

listen();
