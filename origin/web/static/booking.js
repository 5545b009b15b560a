// Small comforts on top of pages that work without them.

// A form that must be sent once: the second click does nothing while the first is on its way.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    form.querySelector("button").setAttribute("aria-disabled", "true");
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) {
    delete form.dataset.sent;
    form.querySelector("button").removeAttribute("aria-disabled");
  }
});

// The position chooses the nearest town here, on the device; it is sent nowhere.
const locate = document.getElementById("locate");
if (locate && navigator.geolocation) {
  const place = document.getElementById("place");
  const towns = document.getElementById("towns");
  const said = document.getElementById("located");
  const radians = (degrees) => (Number(degrees) * Math.PI) / 180;
  const away = (option, here) => {
    const [lat, lng] = [radians(option.dataset.lat), radians(here.latitude)];
    const chord = Math.sin((lat - lng) / 2) ** 2 + Math.cos(lat) * Math.cos(lng) * Math.sin(radians(option.dataset.lng - here.longitude) / 2) ** 2;
    return Math.asin(Math.sqrt(chord));
  };
  locate.hidden = false;
  locate.addEventListener("click", () => {
    said.textContent = locate.dataset.wait;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const nearest = [...towns.options].sort((a, b) => away(a, coords) - away(b, coords))[0];
        place.value = nearest.value;
        said.textContent = `${locate.dataset.found} ${nearest.value}`;
      },
      () => (said.textContent = locate.dataset.failed),
      { timeout: 10000, maximumAge: 600000 },
    );
  });
}
