"""Formulas of a model become text that means the same; whatever is no formula stays letter for letter."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.reply.mathematics import DISPLAY_LIMIT, INLINE_LIMIT, Mathematics
from handlers.reply.output_filter import OutputFilter, filter_text


def shown(text: str) -> str:
    stage = Mathematics()
    return stage.feed(text) + stage.finish()


FORMULAS = {
    r"\frac{a+b}{c}": "(a+b)/c",
    r"\frac{1}{2}": "1/2",
    r"\frac12 + \dfrac{x}{3}": "1/2 + x/3",
    r"\frac{1}{2}x": "(1/2)x",
    r"2\frac{a}{b}": "2(a/b)",
    r"a - \frac{b}{c}": "a - b/c",
    r"a/\frac{b}{c}": "a/(b/c)",
    r"\frac{a}{bc}": "a/(bc)",
    r"\frac{1}{2\pi}": "1/(2π)",
    r"\frac{-1}{x}": "(-1)/x",
    r"\frac{\frac{a}{b}}{c}": "(a/b)/c",
    r"\frac{n!}{k!(n-k)!}": "n!/(k!(n-k)!)",
    r"\frac{\partial f}{\partial x}": "∂f/∂x",
    r"\left(\frac{a}{b}\right)^2": "(a/b)²",
    r"{\frac{a}{b}}^2": "(a/b)²",
    r"\frac{\sin x}{x}": "(sin x)/x",
    r"\sqrt{x+1}": "√(x+1)",
    r"\sqrt{2}x": "√(2)x",
    r"\sqrt{x}^2": "(√x)²",
    r"\sqrt{ab} + \sqrt{x^2}": "√(ab) + √(x²)",
    r"\sqrt[3]{x} + \sqrt[n]{x+1}": "∛x + ⁿ√(x+1)",
    r"a\sqrt[n]{b}": "a·ⁿ√b",
    "x^2 + x^{10}": "x² + x¹⁰",
    "e^{-x}": "e⁻ˣ",
    r"e^{i\pi}": "e^(iπ)",
    r"x^{\frac{1}{2}}": "x^(1/2)",
    "x^{y^2}": "x^(y²)",
    r"x^\alpha y": "x^α y",
    "{ab}^2": "(ab)²",
    "10^{-3}": "10⁻³",
    "A^T A": "Aᵀ A",
    "x_i + x_{n+1}": "xᵢ + xₙ₊₁",
    r"x_{max} = x_{\text{max}}": "x_max = x_max",
    "x_{max}^2": "(x_max)²",
    "x_i^2": "xᵢ²",
    "x_{i,j}": "x₍i,j₎",
    "f'(x) + f''(x)": "f′(x) + f″(x)",
    r"90^\circ": "90°",
    r"\sum_{i=1}^{n} i": "∑ᵢ₌₁ⁿ i",
    r"\sum_{k \in S} x_k": "∑₍k∈S₎ xₖ",
    r"\int_0^1 f(x)\,dx": "∫₀¹ f(x) dx",
    r"\lim_{x \to 0} f(x)": "lim₍x→0₎ f(x)",
    r"\log_2 n + \sin\theta": "log₂ n + sin θ",
    r"\sin\frac{x}{2}": "sin(x/2)",
    r"2\pi r": "2πr",
    r"a \le b \ne c\ge d": "a ≤ b ≠ c ≥ d",
    r"A \Rightarrow B \iff C": "A ⇒ B ⟺ C",
    r"2 \cdot 3 \times 4": "2 · 3 × 4",
    r"x = \pm 2": "x = ±2",
    r"x \not= y \not\in Z": "x ≠ y ∉ Z",
    r"v = 3\,\text{m per s}": "v = 3 m per s",
    r"\mathbb{R}^n": "ℝⁿ",
    r"\vec{v} + \hat{x}": "v⃗ + x̂",
    r"\binom{n}{k}": "(n choose k)",
    r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}": "(a, b; c, d)",
    r"\begin{cases} x & \text{if } x > 0 \\ -x & \text{else} \end{cases}": "{ x, if x > 0; -x, else }",
    r"\foo{x} + \foo{x}{y}": "foo(x) + foo(x, y)",
    "a * b * c": "a ∗ b ∗ c",
    r"50\% x": "50% x",
}


@pytest.mark.parametrize(("latex", "text"), FORMULAS.items())
def test_a_formula_is_text_that_means_the_same(latex, text):
    assert shown(rf"\({latex}\)") == text
    assert shown(f"so\n\n\\[\n{latex}\n\\]\n\nthus") == f"so\n\n{text}\n\nthus"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"so \( x^2 \), and \(n\).", "so x², and n."),
        ("$E = mc^2$ is $a+b$, $F_{net} = ma$.", "E = mc² is a+b, F_net = ma."),
        ("$$ x^2 $$", "x²"),
        ("$$\n\\frac{a}{b}\n$$", "a/b"),
        ("> so\n> \\[\n> x^2\n> \\]\n> thus", "> so\n> x²\n> thus"),
        ("- first\n  $$x^2$$\n- $y^2$", "- first\n  x²\n- y²"),
        (r"\begin{align} a &= b \\ &= c \end{align}", "a = b\n= c"),
        ("> \\begin{align*}\n> a &= b \\\\\n> + c &= d\n> \\end{align*}", "> a = b\n> +c = d"),
        ("| $x^2$ | \\(y_1\\) |", "| x² | y₁ |"),
        ("`code` and $x^2$", "`code` and x²"),
        ("```\n$x^2$\n```\n$x^2$", "```\n$x^2$\n```\nx²"),
        ("an `open tick\n\n$x^2$", "an `open tick\n\nx²"),
        ("pay $5, where $x^2$ is", "pay $5, where x² is"),
        ("公式$x^2$", "公式x²"),
    ],
)
def test_formulas_are_found_in_all_their_marks(written, read):
    assert shown(written) == read


UNTOUCHED = [
    "it is $5 and $10, US$ 3, A$5-$10, $5/month or 10$, $5M+$3M",
    "$PATH, $HOME/bin:$PATH, $(cmd) and $(x_1), ${a}_${b}, $FOO_BAR/$BAZ_QUX$, echo $$",
    r"C:\[x\], C:\(x^2\)",
    r"an escaped \[link\] and \[1\], use \( and \) to group",
    r"matches \(\d+\) and \(.*\)",
    "$x$ alone, $ x^2 $ with blanks, $x^2$3 before a digit",
    "`$x^2$` and ``\\(x\\) ` $a+b$``",
    "```\n$x^2$ \\[x\\]\n```",
    "~~~\n$x^2$\n~~~",
    "> ```\n> $x^2$\n> ```",
    "- a\n  ```sh\n  echo \\(x^2\\)\n  ```",
    "so: ```sh\necho $x^2$```",
    "    $x^2$",
    "an `open tick $x^2$\nand $x^2$",
    r"\(\frac{a\), \(x^{2}^{3}\), \[ \end{x} \]",
    "\\[ x^2\n\nand no end",
    "\\( x^2\nand \\)",
    r"\begin{tikzpicture} \draw (0,0) \end{tikzpicture}",
    "$$$ and $$$$ and $$",
    "a \\",
    r"costs \$5 and \$x^2\$",
    r"\(" + "x" * INLINE_LIMIT + r"\)",
    r"\[" + "x+" * (DISPLAY_LIMIT // 2) + r"\]",
    r"\(" + "{" * 60 + "x" + "}" * 60 + r"\)",
]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_is_no_formula_stays_letter_for_letter(text):
    assert shown(text) == text


PIECES = st.sampled_from(
    [
        *FORMULAS,
        *UNTOUCHED[:18],
        "$",
        "$$",
        "\\",
        r"\(",
        r"\)",
        r"\[",
        r"\]",
        "`",
        "```",
        "\n",
        "\n\n",
        " ",
        "x",
        "5",
        "> ",
    ]
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=12).map("".join), st.data())
@example(r"so \(x^2\), $a+b$. $$x$$ `$x^2$` \begin{align} a &= b \end{align}", None)
def test_the_text_is_the_same_however_it_is_chunked(text, data):
    whole = shown(text)
    stage = Mathematics()
    assert "".join(map(stage.feed, text)) + stage.finish() == whole
    if data is not None:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
        stage = Mathematics()
        parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert "".join(map(stage.feed, parts)) + stage.finish() == whole


@settings(max_examples=200)
@given(st.text(alphabet="ab1 $\\()[]{}^_`\n&+", max_size=60))
def test_nothing_that_a_model_writes_stops_it(text):
    shown(text)


@pytest.mark.parametrize("opening", [r"\( x^2", "\\[ x^2 +\n", "$$ x^2 ", r"\begin{align} x", "$x^2 "])
def test_little_is_held_back(opening):
    stage = Mathematics()
    said = said_all = ""
    for part in (opening, *["ab "] * 1_000):
        said_all += part
        said += stage.feed(part)
        assert len(said_all) - len(said) <= DISPLAY_LIMIT + 40
    assert said_all.startswith(said)
    assert said + stage.finish() == said_all


@pytest.mark.parametrize(
    "text",
    [
        "\\[" * 10_000,
        "\\(x" * 10_000,
        "$x^2 " * 5_000,
        "$$x " * 5_000,
        r"\begin{align}" * 10_000,
        "`" * 200_000,
        "$" * 200_000,
        r"\frac" * 10_000,
        "a" * 200_000 + "$x^2$" * 2_000,
        (r"\(" + r"\frac" * 50 + r"\)") * 50,
        (r"\[" + r"\sqrt{" * 30 + "x" + "}" * 30 + r"\]") * 50,
    ],
)
def test_work_is_linear(text):
    started = time.process_time()
    assert len(shown(text)) > 0
    assert time.process_time() - started < 5


def test_plain_words_pass_at_once():
    stage = Mathematics()
    assert [stage.feed(word) for word in ("Plain ", "words", "\n", "here")] == [
        "Plain ",
        "words",
        "\n",
        "here",
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"\(\text{see https://evil.example/x}^2\)", "evil.example/x"),
        (r"\(\text{<!channel>} + x\)", "<!channel>"),
        (r"\(x\text{](https://evil.example)}\)", "](https"),
    ],
)
def test_a_formula_is_judged_like_any_other_text(written, read):
    assert read in shown(written)
    assert read not in filter_text(written, OutputFilter((), ()))


@pytest.mark.parametrize(
    "latex",
    ["a*b*c", r"x_{max} + y_{min} \sum_{i \in S} \sum_{j \in T}", r"\text{\_a\_}", "- x + y", "> x", "# x"],
)
def test_a_formula_means_nothing_to_markdown(latex):
    from markdown_it import MarkdownIt

    (opened, inline, closed) = MarkdownIt("commonmark").parse(shown(rf"\[{latex}+1\]"))
    assert (opened.type, closed.type) == ("paragraph_open", "paragraph_close")
    assert [child.type for child in inline.children] == ["text"]
