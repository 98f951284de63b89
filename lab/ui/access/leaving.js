// When the log-in has ended (12 hours away, a new password), the page says so and keeps what was typed into it: the
// log-in opens in a tab of its own, and its cookie is this page's, too. The words go with the first call that is
// admitted again.
{
  const plainFetch = window.fetch;
  let bar = null;
  const say = () => {
    if (bar) return;
    const link = Object.assign(document.createElement("a"), {
      href: "/login?next=/", target: "_blank", rel: "noopener", textContent: "Log in again in a new tab",
    });
    bar = Object.assign(document.createElement("div"), { className: "lab-ended" });
    bar.setAttribute("role", "alert");
    bar.append("Your log-in has ended. Nothing you typed here is lost.", link);
    document.body.append(bar);
  };
  window.fetch = async (...call) => {
    const answer = await plainFetch(...call);
    if (new URL(answer.url || window.location.href, window.location.href).origin !== window.location.origin) return answer;
    if (answer.status === 401 && answer.headers.has("x-lab-login")) say();
    else if (bar && answer.ok) { bar.remove(); bar = null; }
    return answer;
  };
}
