"""The lab page: `dersim lab` starts, watches and stops the two programs from a browser.

A small loopback-only web application with a Simulators menu ("IEEE 2030.5 Server"
and "DER Simulator"). Each entry has a settings form made from the command line's
own option parser, a start and a stop button, the live log of the child process and
its exit code. It starts nothing but those two programs.
"""
