"""Languages by their two-letter code and their English name, as people and speech models give either.

Source: ISO 639-1; `haw` and `yue` are ISO 639-3, which Whisper uses where there are no two letters.
"""

from __future__ import annotations

import re

_TABLE = """
af Afrikaans, am Amharic, ar Arabic, as Assamese, az Azerbaijani, ba Bashkir, be Belarusian, bg Bulgarian,
bn Bengali, bo Tibetan, br Breton, bs Bosnian, ca Catalan, cs Czech, cy Welsh, da Danish, de German, el
Greek, en English, es Spanish, et Estonian, eu Basque, fa Persian, fi Finnish, fo Faroese, fr French, gl
Galician, gu Gujarati, ha Hausa, haw Hawaiian, he Hebrew, hi Hindi, hr Croatian, ht Haitian Creole, hu
Hungarian, hy Armenian, id Indonesian, is Icelandic, it Italian, ja Japanese, jw Javanese, ka Georgian, kk
Kazakh, km Khmer, kn Kannada, ko Korean, la Latin, lb Luxembourgish, ln Lingala, lo Lao, lt Lithuanian, lv
Latvian, mg Malagasy, mi Maori, mk Macedonian, ml Malayalam, mn Mongolian, mr Marathi, ms Malay, mt Maltese,
my Myanmar, ne Nepali, nl Dutch, nn Nynorsk, no Norwegian, oc Occitan, pa Punjabi, pl Polish, ps Pashto, pt
Portuguese, ro Romanian, ru Russian, sa Sanskrit, sd Sindhi, si Sinhala, sk Slovak, sl Slovenian, sn Shona,
so Somali, sq Albanian, sr Serbian, su Sundanese, sv Swedish, sw Swahili, ta Tamil, te Telugu, tg Tajik, th
Thai, tk Turkmen, tl Tagalog, tr Turkish, tt Tatar, uk Ukrainian, ur Urdu, uz Uzbek, vi Vietnamese, yi
Yiddish, yo Yoruba, yue Cantonese, zh Chinese
"""
_NAMES = dict(entry.split(maxsplit=1) for entry in _TABLE.replace("\n", " ").strip().split(", "))
_ALSO = {
    "burmese": "my",
    "castilian": "es",
    "farsi": "fa",
    "filipino": "tl",
    "flemish": "nl",
    "haitian": "ht",
    "javanese": "jw",
    "jv": "jw",
    "letzeburgesch": "lb",
    "mandarin": "zh",
    "moldavian": "ro",
    "moldovan": "ro",
    "panjabi": "pa",
    "pushto": "ps",
    "sinhalese": "si",
    "valencian": "ca",
}
_CODES = {name.casefold(): code for code, name in _NAMES.items()} | _ALSO

# The words that no English minute lacks.
_ENGLISH = frozenset(
    re.findall(
        r"\w+",
        """the be is are was were to of and a an in that have has had i it for not on with he she as you
        do did at this but his by from they we say her or will my one all would there their what so up out
        if about who get which me can like just him know your our been could them than then""",
    )
)
_LETTERS = re.compile(r"[^\W\d_]+")
ENGLISH_SHARE = 0.3  # English prose has about 0.45 of them, other languages below 0.15


def code(language: str) -> str:
    """`ja` for ja, JA, ja-JP and Japanese; "" for what is no language."""
    plain = language.strip().casefold()
    if plain in _CODES:
        return _CODES[plain]
    short = plain.replace("_", "-").partition("-")[0]
    return short if short in _NAMES else ""


def name(code: str) -> str:
    """`Japanese` for ja; an unknown code is its own name."""
    return _NAMES.get(code, code)


def looks_english(text: str) -> bool:
    """For models that do not tell the language: is it full of English's commonest words?"""
    words = [word.casefold() for word in _LETTERS.findall(text)]
    return sum(word in _ENGLISH for word in words) > ENGLISH_SHARE * len(words)
