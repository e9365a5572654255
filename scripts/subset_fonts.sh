#!/bin/sh
# Makes the fonts of the figures: DejaVu Sans cut down to Latin, Greek and the mathematical signs that figures use.
# Needs Debian's fonts-dejavu-core and fonts-dejavu-extra (2.37) and python3 with fonttools 4 (pip install fonttools).
# Run from the root of the repository. The licence is in data/fonts/LICENSE.
set -eu
from=${1:-/usr/share/fonts/truetype/dejavu}
to=data/fonts
ranges='U+0020-007E,U+00A0-017F,U+0192,U+018F,U+0218-021B,U+02C6,U+02DC,U+0370-03FF,U+1E9E,U+2010-2015,U+2018-201E,U+2020-2022,U+2026,U+2030,U+2032,U+2033,U+2039,U+203A,U+2070-209C,U+20AC,U+2113,U+2122,U+2190-2195,U+2200,U+2202-2206,U+2211-2213,U+2215,U+2217-221A,U+221D,U+221E,U+2227-222B,U+2248,U+2260,U+2261,U+2264,U+2265,U+226A,U+226B,U+25A0,U+25B2,U+25BC,U+25C6,U+25CF,U+2713,U+2717,U+FFFD'
for style in '' -Oblique -Bold; do
    pyftsubset "$from/DejaVuSans$style.ttf" --unicodes="$ranges" --no-hinting --desubroutinize \
        --layout-features='' --notdef-outline --recommended-glyphs --name-IDs='0,1,2,3,4,5,6,13,14' \
        --drop-tables+=GSUB,GPOS,GDEF,kern,FFTM --output-file="$to/DejaVuSans$style.ttf"
done
ls -l "$to"
