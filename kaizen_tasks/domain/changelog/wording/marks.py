# ruff: noqa: RUF001 - Cyrillic letters and full-width colons are what they look like
"""What texts of a changelog say of themselves: that a change is breaking, or that there is no change.

Most texts say neither, so the patterns are compiled when one may match.
"""

from __future__ import annotations

import re
from typing import Final

_BREAKING: Final = r"breaking(?:[ _-]?changes?)?"
_TYPE: Final = r"(?:feat|fix|perf|refactor|build|chore|revert|docs|ci|test|style)(?:\([^()\n]*\))?"
_FENCE: Final = r"(?sm)^[ \t>]*(?P<fence>`{3,}|~{3,}).*?(?:^[ \t>]*(?P=fence)|\Z)"
_INNER_CODE: Final = r"(?s)(?<=[^`\n])(?P<ticks>`++).+?(?<!`)(?P=ticks)(?!`)"
_LEADING_CODE: Final = r"(?m)^([ \t>*+-]*)`[^`\n]*[^`\n:!]`(?=[ ]+[^\s:\u2013\u2014-])"
_NEGATED: Final = rf"""(?ix)
    (?<!\w)(?:non|not?|without|never|isn['\u2019]t|aren['\u2019]t|avoid\w*|prevent\w*|fix(?:e[ds])?|revert\w*)
    (?:[ -](?:an?|the|any|more|further|longer))*[ -]{_BREAKING}\b"""
_EMPHASISED: Final = rf"(?i)(\*{{1,3}}|_{{1,3}}|`)[\[(]?{_BREAKING}[\])]?[:!.]?\1"
_START: Final = r"""
    ^[ \t>]*+ (?:[-*+][ \t]+|\d+[.)][ \t]+)? (?:\[[ xX]\][ \t]+)?    # a list item, or one with a check box
    (?:(?: \(?\[?(?:[A-Za-z]++-|[#!])\d++\]?(?:\([^()\s]*\))?\)?:?    # a reference: #12, [#12](url), ABC-12
         | (?!breaking)[\w./@-]++:(?!/)                              # a scope: parser:
         | [(\[](?!breaking)[^)\]\n]+[)\]](?:\([^()\s]*\))?:?       # (parser), [parser]
         | [^\w\s\[(]++                                             # a symbol
       )[ \t]*+){0,4}?"""
_MARKED: Final = rf"""(?imx) {_START} (?:
        {_BREAKING} [ ]? (?: [:：!] | [ ][\u2013\u2014-]+[ ] | $ )    # Breaking: x
      | breaking[ -]changes? [ ] (?:in|to|for|with|from|on)\b       # Breaking change in the API
      | \[ {_BREAKING} [:!]? \]                                     # [BREAKING](url) x
      | (?-i:BREAKING) \b                                           # BREAKING x
      | \U0001f4a5 | :boom:                                         # https://gitmoji.dev
      | (?: {_TYPE} | (?-i:[a-z])[\w-]* | [a-z][\w-]*\([^()\n]*\) ) !:    # feat(api)!: x
    )
    | [\[(] [ ]? {_BREAKING} [ ]? (?: [\])](?![(\[]) | [:,;!] )     # x (breaking)
    | \b breaking[ _-]changes? [ ]? :                               # x. Breaking change: y
    | \b (?-i:BREAKING) [ ]? [:!]                                   # x. BREAKING: y
    | \b (?:this|that|which|it) [ ] (?:is|are) [ ] (?:an?[ ])? {_BREAKING} \b
    """
_INCOMPATIBLE: Final = (
    r"(?:bc[ -]?break(?:s|ing)?|(?:backwards?[ -])?in[ck]ompat[ií]\w+|niekompatybiln\w+"
    r"|(?:nicht(?: mehr)?|not?|non|niet|inte|ej|ikke|não|plus|nie)[ -]"
    r"(?:(?:abwärts|rückwärts|bakåt|bakover|bagud|r[eé]tro)-?[ck]ompat[ií]\w+"
    r"|(?:backwards?|achterwaarts)[ -]compatib\w+|wstecznie kompatybiln\w+)"
    r"|ruptures?(?: de (?:la )?(?:r[eé]tro-?)?compatibilité)?|cassante?s?|ломающ\w+|(?:обратно )?несовместим\w+)(?!\w)"
    r"|破坏性|破壞性|不兼容|不相容|破壊的"
)
_CHANGE: Final = (
    r"(?:api|changes?|changements?|modifications?|änderung(?:en)?|cambios?|modific(?:he|a)|mudanças?|alteraç(?:ão|ões)"
    r"|wijziging(?:en)?|ändring(?:ar)?|endring(?:er)?|ændring(?:er)?|zmian[ay]|изменени[ея]|的?变更|的?更改|的?更新"
    r"|的?變更|的?更動|な?変更)"
)
_INCOMPATIBLE_CHANGE: Final = rf"(?<![\w-])(?:{_CHANGE}[ \xa0-])?(?:{_INCOMPATIBLE})(?:[ \xa0-]?{_CHANGE}(?!\w))?"
_INCOMPATIBLE_PHRASE: Final = _INCOMPATIBLE_CHANGE.replace(" ", r"\x20")
_INCOMPATIBLE_MARK: Final = rf"""(?imx)
    {_START} [*_]{{0,3}}[\[(【]? {_INCOMPATIBLE_PHRASE} [\])】]?[*_]{{0,3}} [ \xa0]?[:：!]        # Incompatible: x
    | {_START} (?P<emphasis>[*_]{{1,3}})[\[(【]? {_INCOMPATIBLE_PHRASE} [\])】]?(?P=emphasis)    # **Incompatible** x
    | [\[(【][ ]? {_INCOMPATIBLE_PHRASE} [ ]?(?:[\])】](?![(\[])|[:：])                          # x (incompatible)
    """
_BREAKING_HEADING: Final = rf"(?i)(?<![\w-])breaking(?!\w)|(?<![\w-])(?:{_INCOMPATIBLE})|\U0001f4a5|:boom:"
_BREAKING_WORDS: Final = rf"(?i)(?<!\w){_BREAKING}(?!\w)|\U0001f4a5|:boom:"
_HINTS: Final = (
    *("break", "\U0001f4a5", ":boom:", "ompat", "ruptur", "cassant", "ломающ", "несовместим"),
    *("破坏性", "破壞性", "不兼容", "不相容", "破壊的"),
)
"""One of these is in every text that is marked, beside commit types with an exclamation mark."""

_PLACEHOLDER: Final = r"""(?ix)
    (?:there[ ](?:are|is|were)[ ])?(?:currently[ ])?
    (?: none | nothing | nil | null | n\.?/?a | not[ ]applicable | not[ ]yet | tbd | tba | tbc | todo | empty | wip
      | work[ ]in[ ]progress | placeholder | coming[ ]soon | pending
      | to[ ]be[ ](?:determined|done|announced|added|written|decided|confirmed|filled(?:[ ]in)?)
      | no[ ](?:(?:notable|user[ -](?:facing|visible)|other|significant|new|unreleased|relevant|further|known|breaking
              |major|minor|functional|security|api|public|visible|additional|code|bug|planned)[ ])*
        (?:changes?|entries|entry|items?|updates?|additions?|fixes|removals?|deprecations?|features?|news|notes|issues?)
    )
    (?:[ ](?:yet|so[ ]far|here|at[ ](?:this|the)[ ](?:time|moment)|for[ ]now|currently|to[ ](?:report|see[ ]here|note)
           |(?:was|were)[ ]made|noted|known|recorded|made|new|changed|added|removed|fixed|deprecated
           |in[ ]this[ ](?:release|version)))*
    """
_MAX_PLACEHOLDER_LENGTH: Final = 80
_PLACEHOLDER_STARTS: Final = (
    *("no", "n/", "n.", "na", "nil", "null", "tb", "to", "empty", "wip", "work", "placeholder", "coming", "pending"),
    *("there", "currently"),
)
_TRANSLATED_PLACEHOLDERS: Final = frozenset(
    """rien|aucun|aucune|néant|aucun changement|aucune modification|rien pour le moment|rien pour l'instant
|keine|keine änderungen|nichts|noch nichts|noch keine|noch keine änderungen|bisher nichts
|nada|nada por ahora|nada todavía|ninguno|ninguna|ningún cambio|sin cambios|sin cambios todavía|sin novedades
|nenhum|nenhuma|nenhuma alteração|nenhuma mudança|nada ainda|nada por enquanto|sem alterações|sem mudanças
|nessuno|nessuna|niente|nulla|nessuna modifica|geen|niets|geen wijzigingen|nog niets|brak|brak zmian
|inga|inga ändringar|ingen|ingen endringer|ingen ændringer|ingenting|yok|değişiklik yok|žádné|žádné změny
|нет|ничего|нет изменений|пока нет|пока ничего|пока пусто|немає|немає змін
|なし|無し|特になし|変更なし|无|暂无|暂无更新|暂无变更|暂无内容|無|暫無|없음|변경 없음|변경 사항 없음""".replace(
        "\n", ""
    ).split("|")
)
_FRAME: Final = " +\t\n\r*_~`.:;!\u2026()[]{}<>-\u2013\u2014\"'\u2019\u201c\u201d\u3002\uff01\uff08\uff09"


def marks_breaking(text: str) -> bool:
    """Return whether the text of an entry is marked as a breaking change, in any of the usual ways."""
    words = text.casefold()
    if not (any(hint in words for hint in _HINTS) or ("!" in words and ":" in words)):
        return False
    prose = re.sub(_LEADING_CODE, r"\1", re.sub(_INNER_CODE, "", re.sub(_FENCE, "", text)))
    if re.search(_INCOMPATIBLE_MARK, prose):
        return True
    plain_text = re.sub(_NEGATED, "", prose)
    return bool(re.search(_EMPHASISED, plain_text) or re.search(_MARKED, re.sub(r"\*|__|`", "", plain_text)))


def names_breaking(heading: str) -> bool:
    """Return whether a heading says that the changes below it are breaking."""
    return bool(re.search(_BREAKING_HEADING, re.sub(_NEGATED, "", heading)))


def without_breaking(heading: str) -> str:
    """Return a heading without the words that say that the changes below it are breaking."""
    return re.sub(_BREAKING_WORDS, "", heading)


def is_placeholder(text: str) -> bool:
    """Return whether a text stands for no change at all, such as `Nothing.`, `_No changes yet_`, `N/A` or `TBD`."""
    text = text.strip(_FRAME)
    if len(text) > _MAX_PLACEHOLDER_LENGTH:
        return False
    words = text.casefold()
    if not words.startswith(_PLACEHOLDER_STARTS):
        return not words or words in _TRANSLATED_PLACEHOLDERS
    return words in _TRANSLATED_PLACEHOLDERS or bool(re.fullmatch(_PLACEHOLDER, " ".join(words.split())))
