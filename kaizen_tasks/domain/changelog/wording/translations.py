# ruff: noqa: RUF001 - Cyrillic and Turkish letters are what they look like
"""Names of `[Unreleased]` and of the types of change in other languages, loaded only for headings in one of them.

They are those of the translations of https://keepachangelog.com, and what changelogs in these languages use where the
translation keeps the English words. The first name of each kind is the one that is written into a changelog.
"""

from __future__ import annotations

import functools
from typing import Final

import attrs

from kaizen_tasks.domain.changelog import CHANGE_TYPES

_NAMES: Final = {
    "ar": (
        "لم يتم طرحه|غير منشور|غير مصدر|لم يصدر بعد",
        "أضيف|إضافات|مضاف|تمت الإضافة",
        "تغير|تغييرات|معدل|تم التغيير",
        "مهمل|مهجور",
        "أزيل|محذوف|تمت الإزالة",
        "أصلح|إصلاحات|تم الإصلاح",
        "أمان|الأمان|حماية",
    ),
    "bg": (
        "Неиздадено|Неиздадени|Непубликувано",
        "Добавено|Добавени",
        "Променено|Променени|Промени",
        "Остаряло|Остарели",
        "Премахнато|Премахнати",
        "Поправено|Поправени|Поправки",
        "Сигурност",
    ),
    "ca": (
        "No publicat|Sense publicar|Inèdit",
        "Afegit|Afegits",
        "Canviat|Canvis|Modificat",
        "Obsolet|En desús",
        "Eliminat|Suprimit",
        "Corregit|Arreglat|Correccions",
        "Seguretat",
    ),
    "cs": (
        "Nevydáno|Nevydané|Nepublikováno|Nevydaná verze",
        "Přidáno|Přidané",
        "Změněno|Změny",
        "Zastaralé|Zastaráno",
        "Odstraněno|Odebráno",
        "Opraveno|Opravy",
        "Bezpečnost|Zabezpečení",
    ),
    "da": (
        "Ikke udgivet|Uudgivet|Endnu ikke udgivet|Ikke frigivet",
        "Tilføjet|Tilføjelser",
        "Ændret|Ændringer",
        "Udfaset|Forældet",
        "Fjernet",
        "Rettet|Fejlrettelser",
        "Sikkerhed",
    ),
    "de": (
        "Unveröffentlicht|Unveröffentlichte|Unveröffentlichtes|Nicht veröffentlicht|Noch nicht veröffentlicht",
        "Hinzugefügt|Neu hinzugefügt|Hinzugefügtes|Neue Funktionen|Neue Features",
        "Geändert|Änderungen|Verändert",
        "Veraltet|Überholt|Abgekündigt",
        "Entfernt|Gelöscht",
        "Behoben|Korrigiert|Repariert|Fehlerbehebungen|Fehlerbehebung|Behobene Fehler|Fehlerkorrekturen",
        "Sicherheit",
    ),
    "el": (
        "Μη δημοσιευμένο|Μη δημοσιευμένα|Ακυκλοφόρητο",
        "Προστέθηκε|Προστέθηκαν",
        "Άλλαξε|Άλλαξαν|Αλλαγές",
        "Παρωχημένο|Παρωχημένα",
        "Αφαιρέθηκε|Αφαιρέθηκαν",
        "Διορθώθηκε|Διορθώθηκαν|Διορθώσεις",
        "Ασφάλεια",
    ),
    "es": (
        "No publicado|Sin publicar|No liberado|Sin lanzar|No lanzado|Aún no publicado|Pendiente de publicación|Inédito",
        "Añadido|Agregado|Añadidos|Agregados|Añadida|Adiciones|Nuevas funcionalidades",
        "Cambiado|Modificado|Cambios|Modificaciones",
        "Obsoleto|En desuso|Desaprobado|Descontinuado|Deprecado",
        "Eliminado|Quitado|Suprimido|Removido",
        "Corregido|Arreglado|Solucionado|Reparado|Correcciones|Corrección de errores",
        "Seguridad",
    ),
    "fa": (
        "منتشر نشده|منتشرنشده|منتشر‌نشده",
        "افزوده شده|افزوده‌شده|اضافه شده|اضافه‌شده|اضافه شد",
        "تغییر یافته|تغییریافته|تغییر کرده|تغییرات",
        "منسوخ شده|منسوخ‌شده|منسوخ",
        "حذف شده|حذف‌شده|حذف شد",
        "رفع شده|رفع‌شده|اصلاح شده|اصلاح‌شده|برطرف شده",
        "امنیت|امنیتی",
    ),
    "fi": (
        "Julkaisematon|Julkaisemattomat|Julkaisematta|Ei julkaistu",
        "Lisätty|Lisäykset",
        "Muutettu|Muutokset",
        "Vanhentunut|Vanhentuneet",
        "Poistettu|Poistot",
        "Korjattu|Korjaukset",
        "Turvallisuus|Tietoturva",
    ),
    "fr": (
        "Non publié|Non-publié|Non publiée|Non publiés|Non publiées|Inédit|Non sorti|Pas encore publié|Non diffusé",
        "Ajouté|Ajouts|Ajout|Ajoutés|Ajoutée|Ajoutées|Nouvelles fonctionnalités",
        "Modifié|Changé|Changements|Changement|Modifications|Modification|Modifiés|Modifiées",
        "Déprécié|Obsolète|Dépréciés|Dépréciation|Dépréciations|Obsolètes",
        "Supprimé|Retiré|Suppressions|Suppression|Supprimés|Supprimées|Enlevé|Retirés",
        "Corrigé|Corrections|Correction|Correctifs|Corrigés|Corrigées|Réparé|Corrections de bugs|Correction de bugs",
        "Sécurité",
    ),
    "hr": (
        "Neobjavljeno|Nije objavljeno|Neizdano",
        "Dodano",
        "Promijenjeno|Izmijenjeno|Promjene",
        "Zastarjelo",
        "Uklonjeno|Maknuto",
        "Ispravljeno|Popravljeno|Ispravci",
        "Sigurnost",
    ),
    "hu": (
        "Kiadatlan|Nem kiadott|Még nem kiadott|Kiadás előtt",
        "Hozzáadva|Hozzáadott|Új funkciók",
        "Megváltoztatva|Módosítva|Változtatva|Módosított|Változások",
        "Elavult",
        "Eltávolítva|Törölve|Eltávolított",
        "Javítva|Javított|Javítások|Hibajavítások",
        "Biztonság",
    ),
    "id": (
        "Belum Dirilis|Belum rilis",
        "Ditambahkan",
        "Diubah",
        "Akan Dihilangkan|Usang",
        "Dihilangkan|Dihapus",
        "Diperbaiki",
        "Keamanan",
    ),
    "it": (
        "Non rilasciato|Non pubblicato|Inedito|Da rilasciare|Non rilasciata|Non ancora rilasciato",
        "Aggiunto|Aggiunti|Aggiunte|Aggiunta|Nuove funzionalità",
        "Modificato|Cambiato|Modifiche|Cambiamenti|Modificati",
        "Deprecato|Obsoleto|Deprecati",
        "Rimosso|Rimossi|Rimozioni|Eliminato",
        "Corretto|Risolto|Correzioni|Corretti|Risolti|Sistemato",
        "Sicurezza",
    ),
    "ja": (
        "未リリース|リリース前|未公開|未発表|リリース予定",
        "追加|新機能|機能追加",
        "変更|変更点|仕様変更",
        "非推奨|廃止予定",
        "削除|廃止",
        "修正|バグ修正|不具合修正",
        "セキュリティ|セキュリティー",
    ),
    "ka": (
        "გამოუშვებელი|გამოუქვეყნებელი",
        "დამატებული|დაემატა",
        "შეცვლილი|შეიცვალა",
        "მოძველებული",
        "წაშლილი|წაიშალა",
        "გასწორებული|გასწორდა",
        "უსაფრთხოება",
    ),
    "ko": (
        "미배포|미출시|출시되지 않음|미공개|미발표|출시 예정|릴리스 예정|릴리즈 예정|미릴리즈|미릴리스",
        "추가|추가됨|추가 사항|추가사항|새로운 기능",
        "변경|변경됨|변경 사항|변경사항",
        "지원 중단|사용 중단|더 이상 사용되지 않음|지원 중단 예정|제거 예정",
        "제거|제거됨|삭제|삭제됨",
        "수정|수정됨|버그 수정|수정 사항|수정사항",
        "보안",
    ),
    "nb": (
        "Ikke utgitt|Uutgitt|Ikke publisert|Upublisert|Ikke lansert|Ikkje utgitt",
        "Lagt til|Nytt lagt til",
        "Endret|Endringer|Endra",
        "Avviklet|Foreldet|Utfaset",
        "Fjernet|Fjerna",
        "Fikset|Rettet|Feilrettinger|Fiksa",
        "Sikkerhet",
    ),
    "nl": (
        "Niet uitgebracht|Nog niet uitgebracht|Onuitgebracht|Niet gepubliceerd|Ongepubliceerd|Niet vrijgegeven",
        "Toegevoegd|Toevoegingen|Nieuwe functies",
        "Gewijzigd|Aangepast|Veranderd|Wijzigingen|Aanpassingen",
        "Verouderd|Afgeschreven",
        "Verwijderd",
        "Opgelost|Hersteld|Gerepareerd|Gefixt|Opgeloste fouten",
        "Beveiliging|Veiligheid",
    ),
    "pl": (
        "Niewydane|Niewydany|Nieopublikowane|Nieopublikowany|Niewydana",
        "Dodane|Dodano|Nowe funkcje",
        "Zmienione|Zmieniono|Zmiany",
        "Zdezaprobowane|Przestarzałe|Wycofywane",
        "Usunięte|Usunięto",
        "Naprawione|Naprawiono|Poprawione|Poprawki",
        "Bezpieczeństwo",
    ),
    "pt": (
        "Não publicado|Não lançado|Não publicados|Não liberado|Não lançada|Não publicada|A publicar",
        "Adicionado|Adicionados|Adições|Adicionada|Novas funcionalidades|Novos recursos",
        "Modificado|Alterado|Mudado|Alterações|Mudanças|Modificações|Modificados|Alterados",
        "Obsoleto|Descontinuado|Depreciado|Obsoletos|Preterido",
        "Removido|Removidos|Excluído|Remoções",
        "Corrigido|Corrigidos|Consertado|Correções|Correção de bugs|Correções de bugs",
        "Segurança",
    ),
    "ro": (
        "Nelansat|Nepublicat|Nelansate|Nelansată",
        "Adăugat|Adăugate|Adăugări",
        "Schimbat|Modificat|Modificări|Schimbări",
        "Depreciat|Învechit",
        "Eliminat|Șters|Eliminate",
        "Reparat|Corectat|Remediat|Corecturi",
        "Securitate",
    ),
    "ru": (
        "Новое|Не выпущено|Невыпущенное|Не опубликовано|Неопубликованное|Не опубликованное|Ещё не выпущено",
        "Добавлено|Добавления|Добавили|Новые возможности|Новые функции",
        "Изменено|Изменения|Изменили",
        "Устарело|Устаревшее",
        "Удалено|Удаления|Удалили",
        "Исправлено|Исправления|Исправили|Исправлены ошибки|Исправление ошибок",
        "Безопасность",
    ),
    "sk": (
        "Nevydané|Nezverejnené|Nepublikované|Zatiaľ nevydané",
        "Pridané|Pridaných",
        "Zmenené|Zmeny",
        "Zastarané|Zavrhnuté",
        "Odstránené|Odobraté",
        "Opravené|Opravy",
        "Bezpečnosť|Zabezpečenie",
    ),
    "sl": (
        "Neobjavljeno|Neizdano|Še ni izdano|Neobjavljene",
        "Dodano",
        "Spremenjeno|Spremembe",
        "Opuščeno|Zastarelo",
        "Odstranjeno",
        "Popravljeno|Popravki",
        "Varnost",
    ),
    "sr": (
        "Neobjavljeno|Nije objavljeno|Необјављено|Није објављено|Neizdato",
        "Dodato|Додато",
        "Promenjeno|Izmenjeno|Промењено|Измењено|Promene",
        "Zastarelo|Застарело",
        "Uklonjeno|Уклоњено|Obrisano",
        "Ispravljeno|Исправљено|Popravljeno|Ispravke",
        "Bezbednost|Безбедност|Sigurnost",
    ),
    "sv": (
        "Outgivet|Inte utgivet|Ej släppt|Inte släppt|Ännu inte släppt|Opublicerat|Ej utgivet|Outgivna|Ej publicerat",
        "Tillagt|Tillagd|Lade till|Tillägg|Tillagda",
        "Ändrat|Ändrad|Ändringar|Förändrat|Ändrade",
        "Föråldrat|Utfasat|Föråldrad",
        "Borttaget|Borttagen|Tog bort|Borttagna",
        "Fixat|Rättat|Åtgärdat|Fixad|Rättningar|Felrättningar|Buggfixar",
        "Säkerhet",
    ),
    "tr": (
        "Yayımlanmadı|Yayınlanmadı|Yayımlanmamış|Yayınlanmamış|Henüz yayımlanmadı|Henüz yayınlanmadı",
        "Eklendi|Eklenenler|Eklenen",
        "Değişti|Değiştirildi|Değişenler|Değişiklikler|Değişen",
        "Rafa kalktı|Kullanımdan kaldırıldı|Kullanımdan kalktı",
        "Kaldırıldı|Kaldırılanlar|Silindi|Çıkarıldı",
        "Düzeltildi|Düzeltilenler|Düzeltmeler",
        "Güvenlik",
    ),
    "uk": (
        "Нове|Не випущено|Невипущене|Неопубліковане|Не опубліковано|Ще не випущено",
        "Додано|Додали",
        "Змінено|Зміни",
        "Застаріло|Застаріле",
        "Видалено|Вилучено",
        "Виправлення|Виправлено",
        "Безпека",
    ),
    "vi": (
        "Chưa phát hành|Chưa công bố|Chưa xuất bản",
        "Thêm|Đã thêm|Thêm mới",
        "Thay đổi|Đã thay đổi",
        "Lỗi thời|Không dùng nữa",
        "Xóa|Đã xóa|Xoá|Đã xoá|Loại bỏ|Đã loại bỏ",
        "Sửa|Sửa lỗi|Đã sửa",
        "Bảo mật",
    ),
    "zh-CN": (
        "未发布|未发布的更改|未发布的变更|未发布版本|待发布|尚未发布|即将发布|未发行|未释出|开发中",
        "新增|添加|新增功能|新功能|已添加|新特性|增加",
        "变更|更改|改变|修改|已更改|改动|变化",
        "弃用|废弃|不推荐使用|已弃用|即将移除|已废弃|即将废弃",
        "移除|删除|已移除|已删除",
        "修复|修正|已修复|问题修复|错误修复|漏洞修复|修复问题",
        "安全|安全性|安全更新",
    ),
    "zh-TW": (
        "未發布|未發佈|尚未發布|尚未發佈|待發布|待發佈|未釋出|即將發布|即將發佈|開發中",
        "新增|加入|新增功能|新功能|增加",
        "變更|更改|更動|修改|異動",
        "棄用|即將移除|不建議使用|廢棄|已棄用",
        "移除|刪除|已移除|已刪除",
        "修正|修復|已修正|錯誤修正|問題修正",
        "安全性|安全",
    ),
}
"""By language: the names of `[Unreleased]`, then those of the six types in their order."""


@attrs.frozen(kw_only=True)
class Translation:
    """The names in one language.

    Attributes:
        unreleased: the names of `[Unreleased]`.
        types: the names of each type of change, by type.
    """

    unreleased: tuple[str, ...]
    types: dict[str, tuple[str, ...]]


@functools.cache
def translations() -> tuple[Translation, ...]:
    """Return the names in all languages."""
    split = {language: [tuple(names.split("|")) for names in kinds] for language, kinds in _NAMES.items()}
    return tuple(
        Translation(unreleased=unreleased, types=dict(zip(CHANGE_TYPES, types, strict=True)))
        for unreleased, *types in split.values()
    )
