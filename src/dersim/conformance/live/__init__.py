"""The page of a campaign that runs: `board` is its state, `view` what is shown of it, `app` serves it."""
