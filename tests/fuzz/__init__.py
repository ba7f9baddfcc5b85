"""Hostile input, made from a seed: files, runs, worlds, command lines, knobs, keys, recordings and time travel.

`make test` plays the first cases of each kind; `make fuzz` goes on for as long as it is told (`python -m tests.fuzz --help`). A
kind is a module with `CASES`, how many cases `make test` plays, and `case(rng, folder)`, which plays one and returns what went
wrong in words, or "" when all is well. Random worlds have a test of their own.
"""
