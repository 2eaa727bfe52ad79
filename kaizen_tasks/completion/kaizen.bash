# Completes tasks, flags and their values for `kaizen` and `inv`, in bash 3.2 and later; files where there are none.
_kaizen_complete() {
    local IFS=$'\n' choices
    choices=$("${COMP_WORDS[0]}" --complete -- "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
    COMPREPLY=($(compgen -W "$choices" -- "${2#=}"))
}
complete -F _kaizen_complete -o default kaizen inv invoke
