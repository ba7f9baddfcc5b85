"""A run, and the reader's way through it.

`machine` takes the run to any instant, by `commands` and from checkpoints; `film` is what is known of it, `rolls` its packets of
late. `story` says which beats have been told, `telling` runs a world to the next one, `pace` is the only file that knows the
reader's clock, `quiet` what need not be watched. `session` puts these together for the keys; `recording` makes data of it all.
A session may not know what a picture looks like: it keeps whatever `remember` gives it.
"""
