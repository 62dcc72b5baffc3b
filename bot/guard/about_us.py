"""Questions about the assistant itself, which belong everywhere: known by their words in many languages.

Only what says nothing else is one. In other words and languages it is for the judge to see
(bot/guard/model_judge.py), and where only passages count there is one of ours (bot/knowledge/answering.py).
"""

from __future__ import annotations

import unicodedata

from bot.ml.features import strip_invisible

# One question a line or between bars; without marks, in small letters.
_QUESTIONS = """
who are you|what are you|what is this bot|who made you|who built you|what is your name|whats your name
are you a bot|are you a robot|are you an ai|are you ai|are you human|are you a human|are you a person
are you real|are you a real person|are you a machine|are you there|are you alive|is this a bot|is this an ai
am i talking to a bot|am i talking to a human|am i talking to an ai|what can you do|what can i ask
what can i ask you|what else can you do|what do you do|what do you know|what are you for
what are you good for|what are your skills|what are your capabilities|how can you help|how can you help me
how can you help us|how can i use you|how do i use you|how do you work|what can you help with
what can you help me with|which model are you|what model are you|which ai are you|tell me about yourself
introduce yourself|what can you do for me|what can you do for us|what can you answer|wer bist du|was bist du
wer sind sie|was sind sie|wie heißt du|wie heisst du|bist du ein bot|bist du ein roboter|bist du eine ki
bist du ein mensch|bist du echt|bist du eine maschine|sind sie ein bot|sind sie ein mensch|sind sie eine ki
was kannst du|was kannst du alles|was können sie|was machst du|was weißt du|wie kannst du helfen
wie kannst du mir helfen|wobei kannst du helfen|wobei kannst du mir helfen|wie funktionierst du
wofür bist du da|was kann ich dich fragen|stell dich vor|was kann ich fragen|wer hat dich gemacht
welches modell bist du|spreche ich mit einem menschen|spreche ich mit einem bot|qui es tu|tu es qui
qui êtes vous|vous êtes qui|comment tu t appelles|es tu un bot|es tu un robot|es tu une ia|es tu humain
es tu un humain|tu es un bot|tu es un robot|êtes vous un bot|êtes vous un robot|êtes vous une ia
êtes vous humain|que sais tu faire|que peux tu faire|tu peux faire quoi|tu sais faire quoi
qu est ce que tu peux faire|qu est ce que tu sais faire|que pouvez vous faire|comment peux tu m aider
comment tu fonctionnes|comment fonctionnes tu|à quoi sers tu|tu sers à quoi|présente toi|quién eres
quien eres|qué eres|que eres|cómo te llamas|eres un bot|eres un robot|eres humano|eres humana
eres una persona|eres una ia|es usted un bot|qué puedes hacer|que puedes hacer|qué sabes hacer|qué haces
qué puede hacer|en qué puedes ayudar|en qué puedes ayudarme|cómo puedes ayudarme|cómo funcionas
para qué sirves|preséntate|qué te puedo preguntar|chi sei|cosa sei|che cosa sei|come ti chiami|sei un bot
sei un robot|sei umano|sei una persona|sei un ia|cosa puoi fare|che cosa puoi fare|cosa sai fare
che cosa sai fare|come funzioni|come puoi aiutarmi|quem é você|quem és tu|quem es tu|o que é você
como você se chama|você é um bot|você é um robô|você é humano|és um bot|és um robô|o que você pode fazer
o que você faz|o que podes fazer|o que sabes fazer|como você funciona|como pode me ajudar|wie ben je
wie ben jij|wat ben je|wat ben jij|hoe heet je|ben je een bot|ben jij een bot|ben je een robot
ben je een mens|ben jij een mens|wat kan je|wat kun je|wat kan je doen|wat kun je doen|hoe werk je|vem är du
vad är du|är du en bot|är du en robot|är du en människa|vad kan du göra|vad kan du|hur fungerar du
hvem er du|hva er du|er du en bot|er du en robot|er du et menneske|hva kan du gjøre|hvad er du|hvad kan du
hvad kan du gøre|hva kan du|kuka olet|kuka sinä olet|oletko botti|oletko robotti|oletko ihminen|mitä osaat
mitä voit tehdä|kim jesteś|czym jesteś|jesteś botem|czy jesteś botem|czy jesteś człowiekiem|co potrafisz
co umiesz|co możesz zrobić|jak działasz|kdo jsi|co jsi|jsi bot|jsi člověk|co umíš|co dokážeš|sen kimsin
kimsin|nesin|bot musun|sen bot musun|robot musun|insan mısın|ne yapabilirsin|neler yapabilirsin|кто ты
ты кто|что ты|ты бот|ты робот|ты человек|что ты умеешь|что ты можешь|что ты умеешь делать
что ты можешь делать|как ты работаешь|кто вы|вы бот|вы человек|что вы умеете|как тебя зовут|хто ти|ти бот
ти людина|що ти вмієш|що ти можеш|ποιος είσαι|τι είσαι|είσαι ρομπότ|είσαι άνθρωπος|τι μπορείς να κάνεις
من أنت|هل أنت روبوت|هل أنت بوت|هل أنت إنسان|ماذا يمكنك أن تفعل|ماذا تستطيع أن تفعل|מי אתה|מה אתה|אתה בוט
אתה רובוט|אתה בן אדם|מה אתה יכול לעשות|מה אתה יודע לעשות|तुम कौन हो|आप कौन हैं|क्या तुम बॉट हो
क्या आप बॉट हैं|क्या आप इंसान हैं|तुम क्या कर सकते हो|आप क्या कर सकते हैं|bạn là ai|bạn là bot à
bạn có thể làm gì|siapa kamu|kamu siapa|apakah kamu bot|kamu bisa apa|apa yang bisa kamu lakukan|cine ești
ce ești|ești un bot|ești om|ce poți face|ki vagy|mi vagy|bot vagy|ember vagy|mit tudsz|miben tudsz segíteni
"""
# Of scripts without blanks; without any mark or blank.
_UNBROKEN = """
あなたは誰ですか あなたは誰 あなたはだれですか 誰ですか きみはだれ 君は誰 お前は誰 あなたは何ですか
あなたは何者ですか あなたはボットですか ボットですか あなたはロボットですか ロボットですか あなたはaiですか
aiですか あなたは人間ですか 人間ですか 何ができますか 何ができるの 何ができる あなたは何ができますか
なにができますか できることは何ですか できることを教えてください できることを教えて どう使えばいいですか
使い方を教えて 使い方を教えてください 自己紹介して 自己紹介してください お名前は 名前は何ですか 你是谁
你是誰 您是谁 你是什么 你是什麼 你是机器人吗 你是機器人嗎 你是人吗 你是真人吗 你是ai吗 你是人工智能吗
你能做什么 你能做什麼 你可以做什么 你会做什么 你會做什麼 你会什么 你能帮我什么 你能幫我什麼 你叫什么名字
你叫什么 怎么使用你 介绍一下你自己 自我介绍 你有什么功能 당신은누구입니까 당신은누구세요 누구세요 넌누구야
너는누구야 너누구야 로봇이야 봇이야 너는봇이야 봇인가요 로봇인가요 사람인가요 사람이야 뭘할수있어
무엇을할수있어 무엇을할수있나요 뭐할수있어 무엇을할수있습니까 คุณคือใคร คุณเป็นใคร คุณเป็นบอทหรือเปล่า
คุณเป็นบอทไหม คุณทำอะไรได้บ้าง
"""
_ASKED = frozenset(question for line in _QUESTIONS.split("\n") for question in line.split("|") if question)
_ASKED_UNBROKEN = frozenset(_UNBROKEN.split())
# What may stand around it and says nothing.
_AROUND_IT = """
hi hello hey hiya hallo hola bonjour salut ciao oi olá ola moin servus привет здравствуйте parley please bitte
actually exactly here so then and um just really eigentlich denn genau hier und also mal donc alors ici pues
entonces aquí aqui eh btw good morning dear
"""
_AROUND = frozenset(_AROUND_IT.split())
# "What's" is one word in some lists, "qu'est-ce" three.
_SPELLINGS = tuple(str.maketrans({"'": joint, "’": joint}) for joint in ("", " "))


def asks_about_us(text: str) -> bool:
    """Whether a text asks about the assistant, and says nothing else."""
    plain = strip_invisible(text).casefold()
    if len(plain) > 120:
        return False
    spoken = "".join(c for c in plain if unicodedata.category(c)[0] in "LMN")
    if spoken in _ASKED_UNBROKEN or spoken.removeprefix("parley") in _ASKED_UNBROKEN:
        return True
    return any(_is_asked(plain.translate(spelling)) for spelling in _SPELLINGS)


def _is_asked(plain: str) -> bool:
    letters = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in plain)
    words = letters.split()
    return " ".join(words) in _ASKED or " ".join(word for word in words if word not in _AROUND) in _ASKED
