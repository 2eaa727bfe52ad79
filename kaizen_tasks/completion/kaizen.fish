# Completes tasks, flags and their values for `kaizen` and `inv`, in fish 3 and later; files where there are none.
function __kaizen_complete
    set --local words (commandline --tokenize --cut-at-cursor --current-process)
    set --local word (commandline --current-token --cut-at-cursor)
    set --local choices ($words[1] --complete -- $words "$word" 2>/dev/null)
    if set --query choices[1]
        string join -- \n $choices
    else
        __fish_complete_path "$word"
    end
end
for program in kaizen inv invoke
    complete --command $program --no-files --arguments '(__kaizen_complete)'
end
