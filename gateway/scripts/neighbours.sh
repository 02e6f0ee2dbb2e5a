# Reads nginx files that are somebody else's and prints "defaults PORT..." for the ports that one of their servers is the
# default of, and "apart:ADDRESS:PORT NAME..." for each address that their servers listen on by itself, with their
# names: nginx asks nobody else about a connection to such an address.
their_listeners() {
    awk '
        { sub(/#.*/, ""); gsub(/[{};]/, " & "); text = text " " $0 }
        END {
            count = split(text, words)
            for (place = 1; place <= count; place++) {
                word = words[place]
                if (word != ";" && word != "{" && word != "}") {
                    said[++length_of] = word
                    continue
                }
                if (word == ";") statement()
                else if (word == "{") { if (!inside && said[1] == "server") inside = depth + 1; depth++ }
                else if (depth-- == inside) server_ends()
                length_of = 0
            }
            for (port in is_default) defaults = defaults " " port
            print "defaults" defaults
            for (address in names_at) print "apart:" address names_at[address]
        }
        function statement(    number) {
            if (!inside || depth != inside) return
            if (said[1] == "listen") listener(said[2])
            if (said[1] == "server_name") for (number = 2; number <= length_of; number++) names = names " " said[number]
        }
        function listener(at,    number, port) {
            if (at ~ /^unix:/) return
            port = 80
            if (at ~ /^[0-9]+$/) { port = at; at = "*" }
            else if (at ~ /^(\[.*\]|[^:]*):[0-9]+$/) { port = at; sub(/.*:/, "", port); sub(/:[0-9]+$/, "", at) }
            if (at == "*" || at == "0.0.0.0" || at == "[::]") {
                for (number = 3; number <= length_of; number++)
                    if (said[number] == "default_server" || said[number] == "default") is_default[port]
            } else if (at !~ /^127\./ && at != "[::1]" && at != "localhost") {
                own[at ":" port]
            }
        }
        function server_ends(    address) {
            for (address in own) { names_at[address] = names_at[address] names; delete own[address] }
            names = ""
            inside = 0
        }
        ' "$@" </dev/null
}
