# shellcheck shell=bash
# Sourced by other scripts: how the running stack was started, as the labels of its containers tell. A script that
# guessed the Compose files would use the development ones in production, where they ask for no API key.

project=${COMPOSE_PROJECT_NAME:-$(sed -n 's/^COMPOSE_PROJECT_NAME=//p' .env)}
compose=() # the command that `use_files_of` puts together

containers() { # containers [SERVICE]: the ids of the project's containers, without those of `docker compose run`
    docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$project" \
        --filter 'label=com.docker.compose.oneoff=False' ${1:+--filter "label=com.docker.compose.service=$1"}
}

labels() { # labels NAME CONTAINER…: the different values of a label
    local name=$1
    shift
    docker inspect --format "{{index .Config.Labels \"com.docker.compose.$name\"}}" "$@" | sort -u
}

use_files_of() { # use_files_of CONTAINER…: sets `compose` to what started them
    local files folder env_files file
    files=$(labels project.config_files "$@")
    folder=$(labels project.working_dir "$@")
    env_files=$(labels project.environment_file "$@")
    [[ $files$folder$env_files != *$'\n'* ]] ||
        fail "these containers were started with different Compose files: $(tr '\n' ' ' <<<"$files"): run \`docker compose up -d\` with the right ones first"
    [ "$folder" -ef . ] || fail "this stack was started in $folder: run the script that is there"
    compose=(docker compose --project-name "$project" --project-directory "$folder")
    while read -r file; do
        [ -e "$file" ] || fail "this stack was started with $file, which is gone: run \`docker compose up -d\` with the present files first"
        compose+=(--file "$file")
    done < <(tr ',' '\n' <<<"$files")
    [ -z "$env_files" ] || while read -r file; do
        [ -e "$file" ] || fail "this stack was started with the settings in $file, which is gone"
        compose+=(--env-file "$file")
    done < <(tr ',' '\n' <<<"$env_files")
}
