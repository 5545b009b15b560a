"""Who may do what to rules, the same for programs and for pages."""

from typing import Literal, get_args

from origin.admin.officials import AUTHOR, OPERATOR, REVIEWER

RulesAct = Literal["read", "draft", "review", "shadow", "unshadow", "activate", "retire", "rollback", "freeze"]
RULES_ACTS: tuple[RulesAct, ...] = get_args(RulesAct)

MAY: dict[RulesAct, tuple[str, ...]] = {
    "read": (AUTHOR, REVIEWER, OPERATOR),
    "draft": (AUTHOR,),
    "review": (REVIEWER,),
    "shadow": (REVIEWER, AUTHOR),
    "unshadow": (REVIEWER, AUTHOR, OPERATOR),
    "activate": (REVIEWER,),
    "retire": (REVIEWER, OPERATOR),
    "rollback": (OPERATOR,),
    "freeze": (OPERATOR,),
}
"""The roles of which one is needed."""
