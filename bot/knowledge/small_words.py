"""Words that say nothing about what is asked, by language: they leave a question before it is searched.

Which language a question is in is told by these words themselves, so that "die" is dropped from German and
stays in English. Without marks over letters, as bot/knowledge/terms.py writes them.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.ml.stemming import COMMON, NEGATIONS

_SMALL = {
    "de": """ab aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis
    bist
        da dabei dafur damit danach dann das dass dein deine dem den denn der des die dies diese diesem diesen
        dieser dieses doch dort du durch ein eine einem einen einer eines er es etwas euch fur gegen gibt habe
        haben hat hatte hier ich ihm ihn ihr ihre ihrem ihren im in ins ist ja jede jedem jeden jeder jedes
        jetzt kann kein keine keinen kommt konnen man mein meine meinem meinen mehr mich mir mit muss mussen
        nach nicht noch nun nur ob oder ohne sehr sein seine seinem seinen seit sich sie sind so soll sollen
        sollte uber um und uns unser unsere unter viel viele vom von vor wann war waren warum was welche
        welchem welchen welcher welches wem wen wenn wer werde werden wie wieviel wird wir wo wohin wurde
        wurden zu zum zur zwischen""",
    "fr": """a ai aux avec c ce ces cette comment d dans de des du elle en est et eu il ils j je l la le les
    leur
        lui m ma mais me meme mes moi mon n ne nos notre nous on ont ou par pas pour qu quand que quel quelle
        quelles quels qui s sa sans se ses si son sont sur t ta te tes toi ton tu un une vos votre vous y""",
    "es": """al algo alguna algun como con cual cuales cuando cuanta cuantas cuanto cuantos de del desde donde
    el
        ella ellos en entre es esa ese eso esta este esto fue ha han hay la las le les lo los mas me mi mis
        muy no nos o para pero por porque que quien quienes se ser si sin sobre son su sus tambien te tiene tu
        tus un una uno y ya yo""",
    "it": """a ai al alla alle anche che chi ci come con cosa cui da dal dalla degli dei del della delle di
    dove e
        gli ha hanno ho i il in io l la le lo loro ma mi mio nei nel nella non nostro o per piu perche quale
        quali quando quanto quanti questa questo se si sono su sua sul sulla suo ti tra tu un una uno voi""",
    "pt": """a ao aos as com como da das de do dos e ela ele em entre era essa esse esta este eu foi ha isso
    ja
        lhe mais mas me meu minha muito na nao nas no nos o onde os ou para pela pelo por porque qual quais
        quando quanto quantos que quem se sem ser seu seus sua suas tambem te tem um uma voce""",
    "nl": """aan al als bij dan dat de den der deze die dit doe door een en er ge geen haar heb hebben heeft
    hem
        het hij hoe hoeveel ik in is je kan kunnen maar me met mijn naar niet nog nu of om onder ons ook op
        over te tot uit uw van veel voor waar waarom was wat we wel welke wie wij word worden wordt ze zich
        zij zijn zo zonder""",
}
SMALL: dict[str, frozenset[str]] = {
    "en": frozenset(COMMON | NEGATIONS),
    **{language: frozenset(words.split()) for language, words in _SMALL.items()},
}


def guess_language(words: Sequence[str]) -> str:
    """The language with the most small words among them; English where as many are of another."""
    counts = {language: sum(word in small for word in words) for language, small in SMALL.items()}
    return max(counts, key=lambda language: counts[language])


def drop_small(words: Sequence[str]) -> list[str]:
    """Words without the small ones of their language; all of them where all are small."""
    small = SMALL[guess_language(words)]
    return [word for word in words if word not in small] or list(words)
