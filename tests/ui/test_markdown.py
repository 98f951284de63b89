"""Markdown of a model's words: drawn, never trusted. Checked on the parsed HTML, against a list of what may appear."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.ui.components import markdown as module
from lab.ui.components.formulas import ATTRIBUTES, ELEMENTS, formula
from lab.ui.components.markdown import LONGEST, markdown, pieces

VOID = {"br", "hr"}
PLAIN = {"h4", "h5", "h6", "p", "br", "hr", "em", "strong", "s", "ul", "li", "blockquote", "thead", "tbody", "tr",
         "table"}
ALLOWED = {
    **dict.fromkeys(PLAIN, set()), "div": {"class", "tabindex"}, "span": {"class"}, "code": {"class"},
    "pre": {"tabindex"}, "ol": {"start"}, "th": {"class"}, "td": {"class"}, "a": {"href", "target", "rel"},
    "math": {"display"}, **dict.fromkeys(ELEMENTS - {"math"}, set(ATTRIBUTES)),
}
CLASSES = {"markdown", "markdown as-written", "formula", "formula-source", "table-scroll", "image-address",
           "to-left", "to-right", "to-center"}


class Parsed(HTMLParser):
    """The HTML as a browser's parser sees it: what is in it, and whether every element is closed."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.open = "", []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in VOID, tag
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    handle_decl = unknown_decl = handle_pi = handle_comment

    def names(self) -> list[str]:
        return [name for name, _ in self.elements]


def faults(text: str) -> list[str]:
    """Everything in the drawn text that may not be there."""
    drawn = markdown(text)
    parsed = Parsed(drawn)
    found = [f"template sign {sign}" for sign in sorted(set("{}$`") & set(drawn))]
    found += [f"<{name}> is not closed" for name in parsed.open]
    for name, attributes in parsed.elements:
        shown = f"<{name} {attributes}>"
        if name not in ALLOWED or not attributes.keys() <= ALLOWED[name]:
            found.append(shown)
        elif attributes.get("class", "markdown") not in CLASSES and name not in ELEMENTS:
            found.append(shown)
        elif name == "a" and not _harmless(attributes):
            found.append(shown)
    return found


def _harmless(link: dict[str, str | None]) -> bool:
    apart = (link["rel"], link["target"]) == ("noopener nofollow ugc", "_blank")
    return apart and (link["href"] or "").lower().startswith(("http://", "https://", "mailto:"))


def read(text: str) -> Parsed:
    """The drawn text, after making sure that nothing is in it that may not be."""
    assert faults(text) == []
    return Parsed(markdown(text))


TRAPS = [
    "<script>alert(1)</script>", "<SCRIPT SRC=//x.y/a.js></SCRIPT>", "a <b onclick=alert(1)>b</b>",
    "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "<svg><a xlink:href=javascript:alert(1)>x</a></svg>",
    "<style>body{display:none}</style>", "<iframe srcdoc='<script>1</script>'>", "<!-- a --!> <img src=x>",
    "<![CDATA[<script>alert(1)</script>]]>", "<?php echo 1 ?>", "<math><mtext><style><img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))", "[a](JaVaScRiPt:alert(1))", "[a](  javascript:alert(1))", "[a](java\tscript:alert(1))",
    "[a](&#x6A;avascript:alert(1))", "[a](javascript&colon;alert(1))", "[a](data:text/html,<script>1</script>)",
    "[a](vbscript:x)", "[a](//evil.example/x)", "[a](/jobs?cancel=1)", "[a](#top)", "[a](file:///etc/passwd)",
    "<javascript:alert(1)>", "<https://a.b/\" onmouseover=alert(1) x=\">", '[a](https://a.b/"onmouseover=alert(1)//)',
    '[a](https://a.b "x\\" onclick=alert(1)")', "![a](javascript:alert(1))", "![\" onerror=alert(1)](https://a.b/x.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)", "[![x](https://a.b/x.png)](javascript:alert(1))",
    "[[[[a](https://a.b)](javascript:1)](https://c.d)]", "[a][1]\n\n[1]: javascript:alert(1)",
    "```\"><script>alert(1)</script>\nx\n```", "```js onload=alert(1)\n</code></pre><script>1</script>\n```",
    "`</code><script>alert(1)</script>`", "| <img src=x onerror=1> | b |\n|---|---|\n| </td><script>1</script> | c |",
    "$\\text{<script>alert(1)</script>}$", "$\\href{javascript:alert(1)}{x}$", "$\\style{position:fixed}{x}$",
    "$\\class{btn}{x}$", "$\\text{&lt;img src=x onerror=alert(1)&gt;}$", "$</math><script>alert(1)</script>$",
    "$$\n</mtext><img src=x onerror=alert(1)>\n$$", "\\(\\unicode{3c}script\\unicode{3e}\\)", "$\\color{red;}{x}$",
    "$\\begin{array}{<script>}a\\end{array}$", "\\[</code><script>alert(1)</script>", "$\\rule{999em}{999em}$",
    "{{constructor.constructor('alert(1)')()}}", "${alert(1)}", "`${alert(1)}`", "$x_{{{a}}}$", "<%= x %> {% raw %}",
    "\u202e<script>alert(1)</script>\u202c", "＜script＞alert(1)＜/script＞", "<scr\u0000ipt>alert(1)</script>",
    "<ſcript>alert(1)</ſcript>", "[a](ｊavascript:alert(1))", "[a](\u0001javascript:alert(1))",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;alert(1)&#60;/script&#62;", "\ud800 lone",
]


@pytest.mark.parametrize("text", TRAPS)
def test_nothing_of_a_trap_becomes_an_element_or_an_attribute(text):
    assert faults(text) == []
    assert faults(f"before {text} after\n\n- {text}\n\n> {text}\n\n**{text}**") == []


@pytest.mark.parametrize("text", TRAPS)
def test_a_trap_in_the_middle_of_streaming_is_no_danger_either(text):
    assert [found for end in range(1, len(text)) for found in faults(text[:end])] == []


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*"<>[]()!`*_~$\\{}|\"'&#;:-\n ax1", "http://a.b", "javascript:", "\\(", "\\[", "$$"]),
                max_size=40).map("".join))
def test_any_mixture_of_signs_is_safe(text):
    assert faults(text) == []


def test_the_faults_are_found_where_there_are_some(monkeypatch):
    """What the tests above rest on: an image, a script, a link that runs, and a sign of gr.HTML's templates."""
    for bad in ("<img src=x>", "<p onclick='x'>a</p>", "<script>1</script>", "<a href='javascript:x' rel='noopener "
                "nofollow ugc' target='_blank'>a</a>", "<p>{a}</p>", "<p>open", '<div class="modal">x</div>'):
        monkeypatch.setattr("tests.ui.test_markdown.markdown", lambda _, bad=bad: bad)
        assert faults("anything"), bad


def test_what_models_write_is_drawn():
    drawn = read("# Plan\n\n1. **Start** *amlodipine*\n   - 5 mg\n\n```python\nx = {1: `a`}\n```\n\n> said\n\n"
                 "A) one\nB) two")
    assert {"h4", "ol", "ul", "strong", "em", "pre", "code", "blockquote", "br"} <= set(drawn.names())
    assert "x = {1: `a`}" in drawn.text


def test_a_table_keeps_its_alignment_without_a_style_attribute():
    drawn = read("| drug | dose |\n|---|--:|\n| a | 5 |")
    assert ("td", {"class": "to-right"}) in drawn.elements


def test_a_link_opens_apart_and_tells_nothing():
    (link,) = [attributes for name, attributes in read("[paper](https://a.b/c?d=1&e=2)").elements if name == "a"]
    assert link == {"href": "https://a.b/c?d=1&e=2", "target": "_blank", "rel": "noopener nofollow ugc"}
    assert "a" not in read("see https://a.b/c and a.b").names()


def test_an_image_is_its_words_and_address_and_is_not_loaded():
    drawn = read("![the heart](https://a.b/heart.png)")
    assert "img" not in drawn.names() and "the heart (https://a.b/heart.png)" in drawn.text


@pytest.mark.parametrize("text", ["[1]: https://a.b", "    four spaces in", "text\n---", "text\n===", "<b>bold</b>"])
def test_nothing_that_was_written_is_hidden_or_misread(text):
    drawn = read(text)
    assert not {"h4", "h5", "h6", "pre"} & set(drawn.names())
    assert "".join(text.replace("---", "").split()) in "".join(drawn.text.split())


@pytest.mark.parametrize("text", [
    "It costs $5 and $10.", "$5 or 5$", "between $5 and 10 dollars$", "US$5 and CA$6", "$ 5 $", "a $5-$10 co-pay",
    "`$x$`", "\\$x\\$", "echo $HOME/$USER", "$", "$$", "$$$ is a lot", "\\(\\)",
    "under $20 (or about 18€ each), not $30",
])
def test_money_and_shell_variables_stay_text(text):
    assert "math" not in read(text).names()


@pytest.mark.parametrize(("text", "display"), [
    ("mean $\\mu = 120$ mmHg", "inline"), ("so $x$.", "inline"), ("\\(a_1\\)", "inline"), ("($n$-th, $k$th)", "inline"),
    ("$5 \\text{ mg}$", "inline"), ("$$x^2$$", "block"), ("$$\nx^2\n$$", "block"), ("\\[\nx\n\n- y\n\\]", "block"),
    ("is \\[x\\] here", "block"), ("- item\n  $$\n  x\n  $$", "block"), ("$$x$$.", "block"),
])
def test_formulas_become_mathml(text, display):
    found = [attributes for name, attributes in read(text).elements if name == "math"]
    assert found and {attributes["display"] for attributes in found} == {display}


@pytest.mark.parametrize("source", [
    "\\frac{", "\\nosuchcommand{x}", "\\def\\a{\\b\\b}\\a", "\\newcommand{\\a}{x}\\a", "{" * 300, "x" * 3000,
    "\\ce{H2O}", "\\phantom{x}", "a & b",
])
def test_a_formula_that_cannot_be_read_stays_as_its_source(source):
    assert formula(source) is None
    drawn = read(f"so ${source}$ is")
    assert "math" not in drawn.names() and source[:20] in drawn.text


@pytest.mark.parametrize("name", ["aligned", "align*", "split", "gathered", "cases", "equation", "pmatrix"])
def test_the_usual_environments_are_read(name):
    drawn = formula(f"\\begin{{{name}}} x = 1 \\\\ y = 2 \\end{{{name}}}", display=True)
    assert drawn is not None and "begin" not in drawn and ("<mtr>" in drawn or name == "equation")


@pytest.mark.parametrize(("text", "kept"), [
    ("```python\nfor x in y:", "for x in y:"), ("so \\(a_1 + b_2", "\\(a_1 + b_2"), ("$$\na_1 *b* c", "a_1 *b* c"),
    ("\\[ a_1 *b*", "\\[ a_1 *b*"), ("**bold and", "**bold and"), ("- a\n-", "a"), ("| a | b |\n|--", "| a | b |"),
])
def test_what_is_half_open_while_it_streams_stays_legible(text, kept):
    drawn = read(text)
    assert kept in drawn.text and not {"em", "h4", "math"} & set(drawn.names())


def test_a_list_keeps_counting_after_an_empty_line():
    assert read("1. a\n\n2. b\n\ntext\n\n3. c").names().count("ol") == 2
    assert ("ol", {"start": "3"}) in read("3. c").elements


DOCUMENTS = ["a\n\nb\n\n```\nc\n\nd\n```\n\ne", "- a\n\n  b\n\n- c\n\nd", "$$\na\n\nb\n$$\n\nc", "> a\n\n> b\n\nc",
             "~~~\na\n\n```\n\n~~~\n\nb", "\\[\n\na\n\\]\n\nb", "| a |\n|---|\n| 1 |\n\nb", "``` a`b\n\nc",
             "1. a\n\n   ```\n\nb"]


@pytest.mark.parametrize("text", DOCUMENTS)
def test_a_text_in_pieces_is_drawn_like_the_whole(text):
    drawn = "".join(module._piece(piece) for piece in pieces(text))
    assert drawn.split() == module._piece(text).split()


BLOCKS = ["A text\nof two lines with $x$ and `code`.", "- a\n- b\n  - c", "1. a\n\n   more\n\n2. b", "# Title", "---",
          "```python\nx = 1\n\n# no title\n- no list\n```", "~~~\n```\n\n~~~", "$$\nx\n\n- y\n$$", "\\[ x\n= 2 \\].",
          "> said\n> ```\n> x\n> ```", "| a | b |\n|---|--:|\n| 1 | 2 |", "$$x$$ is the area", "cost: $5\nor $6",
          "- step\n  ```\n  y\n\n  z\n  ```\n- step\n  $$\n  x\n  $$", "\\(x\\) and \\[y\\] inside"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=6), st.floats(0, 1))
def test_an_answer_in_pieces_is_drawn_like_the_whole_at_every_moment_of_its_streaming(blocks, share):
    text = "\n\n".join(blocks)
    text = text[: 1 + int(share * len(text))]
    drawn = "".join(module._piece(piece) for piece in pieces(text))
    assert drawn.split() == module._piece(text).split()


def test_a_text_that_is_too_long_is_shown_as_it_is():
    drawn = read("**a** <b> $x$ " * (LONGEST // 10))
    assert drawn.names() == ["div"] and drawn.text.startswith("**a** <b> $x$ ")


ANSWER = ("The mean is **high** ($\\mu = 120$).\n\n1. Start *amlodipine* 5 mg\n   - check\n\n| a | b |\n|---|---|\n"
          "| 1 | 2 |\n\nSo \\(\\frac{a}{b}\\) and $$x = 2$$ hold.\n\n") * 14


def test_an_answer_that_streams_is_drawn_in_a_few_milliseconds():
    """0.1 ms a step in the median; the bound is the page's share of an update, for a slow and busy machine."""
    text, steps = ANSWER[:2000], []
    markdown(text[:10])
    for end in range(100, len(text), 20):
        started = time.perf_counter()
        markdown(text[:end])
        steps.append(time.perf_counter() - started)
    assert sorted(steps)[len(steps) // 2] < 0.003


@pytest.mark.parametrize("text", ["[" * 5000, "![" * 8000, "[](" * 8000, "$" * 10_000, "\\(" * 10_000, "**a*" * 5000,
                                  ">" * 5000, "\\[\n" * 8000, "`a``b" * 5000])
def test_a_text_made_to_be_slow_is_not(text):
    started = time.perf_counter()
    markdown(text)
    assert time.perf_counter() - started < 5
