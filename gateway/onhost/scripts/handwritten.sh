# Prints a part of what a hand-written nginx has, in base64. Changes nothing. $1 is the part:
#   configuration  what it reads, as nginx itself prints it
#   files          the files at the paths on standard input, a line each, as an archive; links are followed
#   names          the names in the folders at the paths on standard input, a line for each
case $1 in
    configuration) "$nginx_program" ${nginx_options[@]+"${nginx_options[@]}"} -T 2>/dev/null | base64 || true ;;
    files)
        while IFS= read -r path; do
            # nothing that this is about is larger
            if [ -f "$path" ] && [ -n "$(find -L "$path" -size -1025k)" ]; then printf '%s\0' "$path"; fi
        done | tar -czhP --hard-dereference --null -T - | base64
        ;;
    names)
        while IFS= read -r folder; do
            find -L "$folder" -mindepth 1 -maxdepth 1 -print0 2>/dev/null | head -z -n 200 || true
        done | base64
        ;;
esac
