"""Slack as fields see it: the card of a document that is read, and the offer to read it."""

from __future__ import annotations

from bot.fields.side import FieldCard
from bot.fields.wanted import FieldOffer
from bot.knowledge.document_card import CardPlace
from handlers.fields.blocks import card_blocks, card_text, offer_blocks, offer_text
from handlers.slack.cards import StandingCard, show_standing_card
from handlers.slack.client import SlackClient

RUN, OFFER = "parley_fields", "parley_fields_offer"  # kinds of metadata


class SlackFields:
    """Implements bot.fields.side.FieldSide and bot.fields.wanted.OfferSide."""

    def __init__(self, slack: SlackClient) -> None:
        self._slack = slack

    async def show_run(self, card: FieldCard, place: CardPlace, *, look: bool) -> CardPlace | None:
        """Posts or changes a card; where it stands."""
        shown = StandingCard(RUN, card.run.id, card_text(card), card_blocks(card), card.run.asked_at)
        where = {"message": place.message, "thread": place.thread}
        ts = await show_standing_card(self._slack, shown, place.channel, look=look, **where)
        return CardPlace(place.channel, ts, place.thread) if ts else None

    async def show_offer(self, offer: FieldOffer, place: CardPlace, *, look: bool) -> None:
        """Posts an offer, once."""
        which = (offer.document, offer.form, offer.cost)
        shown = StandingCard(OFFER, offer.id, offer_text(*which), offer_blocks(*which), offer.since)
        await show_standing_card(self._slack, shown, place.channel, thread=place.thread, look=look)
