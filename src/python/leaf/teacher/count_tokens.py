"""How long the questions are, in tokens: by the processor alone."""

from PIL import Image

from leaf.contract.teacher import Measure, PromptPart, Tokens
from leaf.teacher.features import prepare
from leaf.teacher.load import load_processor
from leaf.teacher.question import ask


def measure(request: Measure) -> Tokens:
    """Tokens of blank pictures of the sizes asked about, and of the text of each question."""
    processor = load_processor(request)
    prompts = request.prompts

    def text(parts: list[PromptPart], prefill: str | None = None) -> int:
        return sum(map(len, ask(processor, parts, prefill).pieces))

    return Tokens(
        v=1,
        images=[len(prepare(processor, Image.new("RGB", size)).tokens) for size in request.sizes],
        point=text(prompts.point, prompts.prefill),
        pair=text(prompts.pair),
        reason=text(prompts.reason),
    )
