"""Answer Slack's slash command `/poll`: post a question with numbered choices.

Set `/function/slack_command` as the request URL of a slash command, and give the signing secret of
the Slack app to the gateway as PENSTOCK_SECRET_SLACK. The gateway accepts only what Slack signed.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from penstock import Reject, Request, function

MOST_CHOICES = 9
USAGE = "Try: `{command} Where do we eat? Pizza, Sushi, Salad`"


@function(timeout="2s", max_age="3s", verify="slack:SLACK")
def slack_command(request: Request) -> dict[str, Any]:
    """Make a poll from a slash command such as `/poll Where do we eat? Pizza, Sushi, Salad`.

    Returns:
        The message: to everybody in the channel, or how to use the command to its sender alone.
    """
    fields = parse_qs(request.text)
    if "command" not in fields:
        raise Reject("not a slash command of Slack: the field command is missing")
    question, _, listed = fields.get("text", [""])[0].partition("?")
    choices = [choice.strip() for choice in listed.split(",") if choice.strip()]
    if not question.strip() or not 1 < len(choices) <= MOST_CHOICES:
        usage = USAGE.format(command=fields["command"][0])
        return {"response_type": "ephemeral", "text": f"A question and 2 to 9 choices. {usage}"}
    who = fields.get("user_id", ["somebody"])[0]
    lines = [f"{number}\ufe0f\u20e3 {choice}" for number, choice in enumerate(choices, 1)]
    return {
        "response_type": "in_channel",
        "text": "\n".join([f"<@{who}> asks: *{question.strip()}?*", *lines]),
    }
