#include "http/http.h"
#include <curl/curl.h>
#include <string.h>

static size_t take(char *data, size_t size, size_t count, void *arg)
{
	struct buffer *body = arg;

	buffer_append(body, (struct bytes){ data, size * count });
	return body->is_over ? 0 : size * count;
}

static void set_options(CURL *curl, const struct http_request *request, struct buffer *body)
{
	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	if (request->socket_path)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request->socket_path);
	if (request->trust && *request->trust)
		curl_easy_setopt(curl, CURLOPT_CAINFO, request->trust);
	if (request->timeout_us > 0)
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(request->timeout_us / 1000));
	if (request->body.len > 0) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.at);
	}
}

int http_send(const struct http_request *request, struct http_response *response_out,
              struct err *err)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	struct curl_slist *resolve = request->resolve ? curl_slist_append(NULL, request->resolve)
	                                              : NULL;
	CURL *curl = curl_easy_init();
	long status = 0;
	CURLcode code;

	*response_out = (struct http_response){ .body.limit = request->body_bytes_max
		                                                      ? request->body_bytes_max
		                                                      : HTTP_BODY_BYTES_MAX };
	set_options(curl, request, &response_out->body);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (resolve)
		curl_easy_setopt(curl, CURLOPT_RESOLVE, resolve);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	curl_slist_free_all(resolve);
	response_out->status = (int)status;
	if (code == CURLE_OK)
		return 0;
	buffer_deinit(&response_out->body);
	return err_set(err, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_SYSTEM, "%s: %s",
	               request->socket_path ? request->socket_path : request->url,
	               curl_easy_strerror(code));
}

void http_escape(struct bytes value, struct buffer *out)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.at[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		                (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~", c));

		if (is_plain)
			buffer_append_char(out, c);
		else
			buffer_printf(out, "%%%02X", (unsigned char)c);
	}
}
