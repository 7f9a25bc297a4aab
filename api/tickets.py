# The lead overwrote this file by mistake at 15:58 UTC (a clash of names; his is api/looks.py now).
# EXPORTS: please write yours anew from what you know of it. Sorry.
