// Opens a report where a key is required: a link cannot carry the key, so the page fetches the report and shows it in a tab.

// The tab has this page's policy, under which no script of a report runs. It would refuse a report's own <style>, too;
// a style sheet that is constructed here is not a style in the document.
export async function openReport(fetched) {
  const tab = window.open("", "_blank");
  const answer = await fetched;
  const text = await answer.text();
  if (!tab) return;
  const styles = [];
  const markup = text.replace(/<style>([^]*?)<\/style>/g, (_, rules) => (styles.push(rules), ""));
  const found = answer.ok ? new DOMParser().parseFromString(markup, "text/html") : refusal(text);
  const sheet = new tab.CSSStyleSheet();
  sheet.replaceSync(styles.join(""));
  tab.document.adoptedStyleSheets = [sheet];
  tab.document.title = found.title;
  tab.document.documentElement.lang = "en";
  found.querySelectorAll("script, meta").forEach((element) => element.remove());
  tab.document.body.replaceChildren(...[...found.body.childNodes].map((node) => tab.document.importNode(node, true)));
}

function refusal(text) {
  const found = document.implementation.createHTMLDocument("There is no report");
  found.body.append(JSON.parse(text).detail);
  return found;
}
