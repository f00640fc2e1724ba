"""The page of a campaign that runs: `board` is its state, `view` what the page shows of it, `app` serves it."""
