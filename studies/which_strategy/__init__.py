"""Which strategy should I use? The page docs/which-strategy.md, made from its study's verdicts."""
