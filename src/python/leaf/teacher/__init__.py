"""A multimodal LLM that judges image quality, as a child of the engine. See src/protocol/teacher.ts."""
