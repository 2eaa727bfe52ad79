# Completes tasks, flags and their values for `kaizen` and `inv`, in zsh 5 and later; files where there are none.
_kaizen_complete() {
    local -a choices
    choices=("${(@f)$("${words[1]}" --complete -- "${(@)words[1,CURRENT]}" 2>/dev/null)}")
    choices=(${choices:#})
    if (( ${#choices} )); then
        compadd -- "${choices[@]}"
    else
        _files
    fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _kaizen_complete kaizen inv invoke
