// Light, dark, or as the system has it.

const MODES = ["auto", "light", "dark"] as const;
type Mode = (typeof MODES)[number];

function remembered(): Mode {
  try {
    const mode = localStorage.getItem("duet-theme");
    return MODES.find((one) => one === mode) ?? "auto";
  } catch {
    return "auto";
  }
}

/** Adds the button, and calls `changed` whenever colours have. */
export function addTheme(header: Element, changed: () => void): void {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "theme";
  let mode = remembered();
  const show = () => {
    if (mode === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = mode;
    button.textContent = `theme: ${mode}`;
    changed();
  };
  button.addEventListener("click", () => {
    mode = MODES[(MODES.indexOf(mode) + 1) % MODES.length]!;
    try {
      localStorage.setItem("duet-theme", mode);
    } catch {
      // Not remembered, then.
    }
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  header.prepend(button);
  show();
}
