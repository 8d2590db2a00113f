// Passkeys. data-passkey="get" or "create" on a hidden input: when its form is sent, the authenticator is asked
// first and its answer put in. data-passkey-sign-in on a form: signs in without a password, by its button or
// from the autofill of the address. Texts stand in the form's data-passkey-note.
const FRESH_FOR = 4 * 60 * 1000; // the server's question lives for five minutes
const running = new WeakSet();

class Refused extends Error {}

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const text = (buffer) =>
  btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function post(form, url, body) {
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const found = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
  if (!answer.ok || answer.redirected) throw new Refused(found.detail ?? "");
  return found;
}

function decoded(options) {
  const named = (list = []) => list.map((item) => ({ ...item, id: bytes(item.id) }));
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: bytes(options.user.id) } }),
    ...(options.excludeCredentials && { excludeCredentials: named(options.excludeCredentials) }),
    ...(options.allowCredentials && { allowCredentials: named(options.allowCredentials) }),
  };
}

function encoded(credential) {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const given = parts.filter((name) => response[name]).map((name) => [name, text(response[name])]);
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { ...Object.fromEntries(given), transports: response.getTransports?.() ?? [] },
  };
}

async function ask(form, ceremony, begin, options = {}) {
  if (!window.PublicKeyCredential) throw new Refused(noteOf(form).dataset.unsupported);
  const publicKey = decoded(await post(form, begin, {}));
  return encoded(await navigator.credentials[ceremony]({ publicKey, ...options }));
}

const noteOf = (form) => form.querySelector("[data-passkey-note]");

function hush(form) {
  noteOf(form).hidden = true;
}

function tell(form, error) {
  const note = noteOf(form);
  const texts = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known" };
  const own = error instanceof Refused ? error.message : "";
  note.querySelector("span").textContent = own || note.dataset[texts[error.name] ?? "failed"];
  note.hidden = false;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const input = form.querySelector("input[data-passkey]");
  if (!input || input.value) return;
  event.preventDefault();
  if (running.has(form)) return;
  running.add(form);
  hush(form);
  try {
    input.value = JSON.stringify(await ask(form, input.dataset.passkey, input.dataset.passkeyBegin));
    form.requestSubmit(event.submitter);
  } catch (error) {
    tell(form, error);
  } finally {
    running.delete(form);
  }
});

// A page that comes back from history must not send an answer twice.
addEventListener("pageshow", () => {
  for (const input of document.querySelectorAll("input[data-passkey]")) input.value = "";
});

const entry = document.querySelector("[data-passkey-sign-in]");

async function enter(form, answer) {
  const found = await post(form, form.action, answer);
  location.assign(new URL(found.location, location.origin));
}

if (entry) {
  let waiting = null;
  let since = 0;

  // Offers passkeys in the autofill of the address for as long as the page is looked at.
  const offer = async () => {
    if (!(await window.PublicKeyCredential?.isConditionalMediationAvailable?.())) return;
    if (running.has(entry)) return; // the button was quicker: two questions at once stop each other
    if (document.hidden || (waiting && Date.now() - since < FRESH_FOR)) return;
    waiting?.abort();
    const mine = new AbortController();
    [waiting, since] = [mine, Date.now()];
    const options = { mediation: "conditional", signal: mine.signal };
    const answer = await ask(entry, "get", entry.dataset.passkeyBegin, options).catch(() => null);
    if (waiting === mine) waiting = null;
    if (answer) await enter(entry, answer).catch((error) => tell(entry, error));
  };

  entry.querySelector("button").addEventListener("click", async () => {
    if (running.has(entry)) return;
    running.add(entry);
    waiting?.abort();
    waiting = null;
    hush(entry);
    try {
      await enter(entry, await ask(entry, "get", entry.dataset.passkeyBegin));
    } catch (error) {
      tell(entry, error);
      running.delete(entry);
      offer();
    } finally {
      running.delete(entry);
    }
  });
  document.addEventListener("visibilitychange", offer);
  document.addEventListener("focusin", offer);
  offer();
}
