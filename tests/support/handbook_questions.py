"""Questions as people type them to a small handbook: most share hardly a word with their passage."""

from __future__ import annotations

from dataclasses import dataclass

HANDBOOK = [
    (
        "Everybody has 30 days of holiday a year. Holiday is agreed with the team two weeks ahead, and "
        "up to five days move to the next year."
    ),
    "Core hours are from ten to three. Outside of them everybody works when it suits them.",
    (
        "Journeys under six hours are made by train, in second class. Hotels cost up to 120 euros a "
        "night; receipts go to Carol within a month."
    ),
    (
        "Each person chooses a laptop every three years, and keeps the old one for 100 euros. A broken "
        "one is replaced within two days."
    ),
    "Who is ill tells the team in the morning. A doctor's note is needed from the fourth day.",
]


@dataclass(frozen=True)
class NaturalQuestion:
    """`passage`: which of the handbook answers it, from 1; `answer` and `quote` as a model gives them."""

    text: str
    passage: int
    answer: str
    quote: str


HOLIDAY, HOURS, TRAVEL, LAPTOPS, SICK = 1, 2, 3, 4, 5
QUESTIONS = [
    NaturalQuestion(*row)
    for row in (
        (
            "I am sick, what do I do?",
            SICK,
            "Tell the team in the morning; from the fourth day you need a doctor's note.",
            "Who is ill tells the team in the morning. … needed from the fourth day",
        ),
        (
            "How many days off do I get?",
            HOLIDAY,
            "30 days a year.",
            "Everybody has 30 days of holiday a year.",
        ),
        (
            "Can I take my leftover vacation into next year?",
            HOLIDAY,
            "Yes, up to five days.",
            "up to five days move to the next year",
        ),
        (
            "How early do I have to ask for time off?",
            HOLIDAY,
            "Two weeks ahead.",
            "Holiday is agreed with the team two weeks ahead",
        ),
        (
            "When do I have to be at my desk?",
            HOURS,
            "From ten to three.",
            "Core hours are from ten to three.",
        ),
        (
            "May I start at seven in the morning?",
            HOURS,
            "Yes, outside of the core hours you work when it suits you.",
            "Outside of them everybody works when it suits them.",
        ),
        (
            "Can I fly to Paris if it takes four hours by rail?",
            TRAVEL,
            "No, take the train for journeys under six hours.",
            "Journeys under six hours are made by train",
        ),
        (
            "How expensive may my room be?",
            TRAVEL,
            "Up to 120 euros a night.",
            "Hotels cost up to 120 euros a night",
        ),
        (
            "Who gets my bills after a trip?",
            TRAVEL,
            "Carol, within a month.",
            "receipts go to Carol within a month",
        ),
        (
            "Do I get a new computer?",
            LAPTOPS,
            "Yes, every three years.",
            "Each person chooses a laptop every three years",
        ),
        (
            "My MacBook died, what now?",
            LAPTOPS,
            "It is replaced within two days.",
            "A broken one is replaced within two days.",
        ),
        ("Could I buy my old machine?", LAPTOPS, "Yes, for 100 euros.", "keeps the old one for 100 euros"),
        ("I have the flu. Whom do I call?", SICK, "The team.", "Who is ill tells the team in the morning."),
        (
            "Do I need to see a physician?",
            SICK,
            "Yes, from the fourth day.",
            "A doctor's note is needed from the fourth day.",
        ),
        (
            "first class tickets ok?",
            TRAVEL,
            "No, second class.",
            "made by train, in second class",
        ),
        (
            "What is our PTO policy?",
            HOLIDAY,
            "30 days of holiday a year.",
            "Everybody has 30 days of holiday a year.",
        ),
        (
            "How long is summer break?",
            HOLIDAY,
            "You have 30 days of holiday a year.",
            "Everybody has 30 days of holiday a year.",
        ),
        (
            "Is it fine to work in the evening?",
            HOURS,
            "Yes.",
            "Outside of them everybody works when it suits them.",
        ),
        (
            "where do I hand in my taxi receipt",
            TRAVEL,
            "To Carol, within a month.",
            "receipts go to Carol within a month",
        ),
        (
            "my screen is smashed",
            LAPTOPS,
            "You get another within two days.",
            "A broken one is replaced within two days.",
        ),
        (
            "Wie viele Urlaubstage habe ich?",
            HOLIDAY,
            "Du hast 30 Tage Urlaub im Jahr.",
            "Everybody has 30 days of holiday a year.",
        ),
        (
            "Je suis malade, que faire ?",
            SICK,
            "Prévenez l'équipe le matin.",
            "Who is ill tells the team in the morning.",
        ),
        (
            "¿Cuánto puede costar el hotel?",
            TRAVEL,
            "Hasta 120 euros por noche.",
            "Hotels cost up to 120 euros a night",
        ),
        ("ノートパソコンは何年ごとに選べますか", LAPTOPS, "3年ごとです。", "a laptop every three years"),
    )
]
# What the handbook does not say.
ELSEWHERE = [
    "Who won the cricket match yesterday?",
    "What is the capital of Peru?",
    "Which film shall I watch tonight?",
    "How tall is the tower?",
    "Give me a recipe for lasagne",
    "Wann spielt Bayern?",
]
# Of other handbooks, in other languages: question, answer, quote.
OTHER_HANDBOOKS = {
    "de": [
        ("Darf Bello mit?", "Ja, montags und freitags.", "Der Hund darf montags und freitags mit ins Büro"),
        ("Ich werde Vater", "Du bekommst 16 Wochen frei.", "sechzehn Wochen frei bei vollem Gehalt"),
        (
            "Bin der Letzte hier, und nun?",
            "Lampen aus, Fenster zu.",
            "schaltet das Licht aus, schließt die Fenster",
        ),
        ("Mein Badge ist weg", "Melde es noch heute.", "Ein verlorener Ausweis wird am selben Tag gemeldet."),
        (
            "Kann ich ein Fachbuch kaufen?",
            "Ja, du hast 800 € im Jahr.",
            "im Jahr 800 Euro für Kurse und Bücher",
        ),
        ("Wann ist Zahltag?", "Am 25.", "Das Gehalt kommt am 25. des Monats."),
        ("When is payday?", "On the 25th.", "Das Gehalt kommt am 25. des Monats."),
    ],
    "fr": [
        ("J'ai combien de vacances ?", "25 jours par an.", "vingt-cinq jours de congé par an"),
        ("Je peux bosser de chez moi ?", "Oui, 2 jours par semaine.", "télétravail deux jours par semaine"),
        ("À qui donner mes factures ?", "À Sophie.", "Les notes de frais sont remises à Sophie"),
        ("j'ai la grippe", "Appelle ton chef avant 9 h.", "on prévient son responsable avant neuf heures"),
        ("Wie viele Urlaubstage gibt es?", "25 Tage.", "vingt-cinq jours de congé par an"),
    ],
    "ja": [
        ("ペットを連れて行っていい？", "はい、月曜と金曜なら大丈夫です。", "犬は月曜日と金曜日に限り"),
        ("どのくらい休めますか。", "16週間です。", "給与全額支給で16週間の休暇を取れます"),
        ("社員証が見つかりません", "当日中に報告してください。", "社員証をなくした場合は届け出てください"),
        ("ランチ代は出る？", "出ます。一食650円までです。", "会社は一食につき650円"),
        ("短いパスワードでもいい？", "いいえ。", "パスワードは14文字以上とします"),
        ("帰るときどうする？", "電気を消して窓を閉めてください。", "電気を消し、窓を閉め"),
    ],
}
