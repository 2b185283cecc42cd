import pytest
from PIL import Image

from nuzoo.evaluation.core.style import class_parts, class_title, figure, literal, look, marker, wrapped

pytestmark = pytest.mark.usefixtures("embedded_fonts")

ODD = ["a$b", r"$\frac{x$", r"cut $\frac{x$ and $", "\x00\x1b[31m", r"a\$b$", "{_^&%#~"]


@pytest.mark.parametrize("text", ODD)
def test_any_text_is_drawn_as_it_is(tmp_path, text):
    with figure(tmp_path / "f.png", 3, 2, text, remark=text) as drawn:
        axes = drawn.subplots()
        axes.set_title(literal(text))
        axes.plot([0, 1], label=class_title(text))
        axes.legend()
        title = axes.title
    assert not title.get_text().replace(r"\$", "").count("$")
    assert Image.open(tmp_path / "f.png").format == "PNG"
    pdf = (tmp_path / "f.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf, "journals take TrueType only"


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        with figure(tmp_path / f"{name}.png", 3, 2, "tag") as drawn:
            drawn.subplots().plot([0, 1])
    for suffix in (".png", ".pdf"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_long_names_are_wrapped_and_classes_are_written_as_the_field_does():
    assert max(map(len, wrapped("x" * 50 + " " + "y" * 5, 20).splitlines())) <= 20
    assert class_title("numu_cc") == r"$\nu_{\mu}$ CC"
    assert class_parts("numu_cc") == [("ν", False), ("μ", True), (" CC", False)]
    assert class_title("a_long_class_of_ones_own", 12) == "a long class\nof ones own"


def test_more_curves_than_colours_can_be_told_apart():
    looks = [(look(n)["color"], str(look(n)["linestyle"]), marker(n)) for n in range(30)]
    assert len(set(looks)) == 30
