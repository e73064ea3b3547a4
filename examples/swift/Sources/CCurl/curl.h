#include <curl/curl.h>

// Swift cannot call functions with a variable number of arguments.
static inline void curl_set_text(CURL *curl, CURLoption option, const char *text) { curl_easy_setopt(curl, option, text); }
static inline void curl_set_number(CURL *curl, CURLoption option, long number) { curl_easy_setopt(curl, option, number); }
static inline void curl_set_list(CURL *curl, CURLoption option, struct curl_slist *list) { curl_easy_setopt(curl, option, list); }
static inline void curl_set_pointer(CURL *curl, CURLoption option, void *pointer) { curl_easy_setopt(curl, option, pointer); }
static inline void curl_set_callback(CURL *curl, CURLoption option, curl_write_callback callback) { curl_easy_setopt(curl, option, callback); }
static inline long curl_get_number(CURL *curl, CURLINFO info) {
    long number = 0;
    curl_easy_getinfo(curl, info, &number);
    return number;
}
