package sandbox

// GatewayAnswer is an answer of an API gateway or a proxy itself, not of the API behind it.
type GatewayAnswer struct {
	Name        string // of a subtest
	ContentType string // empty: the answer has none
	Body        string
	Effect      Effect // sends this answer; nothing is committed
}

// ForeignNotFound holds the 404s of gateways, proxies and frameworks that have no route to the API,
// temporarily or by mistake. None of them proves that a session is gone: for that the API document
// has an ErrorResponse with the code NOT_FOUND. Use:
//
//	for _, answer := range sandbox.ForeignNotFound {
//		s.Fail(sandbox.Fault{Operation: sandbox.OpRead, Effect: answer.Effect})
var ForeignNotFound = []GatewayAnswer{
	notFound("Kong", "application/json; charset=utf-8", `{"message":"no Route matched with those values"}`),
	notFound("Envoy, empty", "", ""),
	notFound("empty JSON", "application/json", ""),
	notFound("nginx, HTML", "text/html", "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"),
	notFound("HTML called JSON", "application/json", "<!DOCTYPE html><title>Not Found</title>"),
	notFound("AWS API Gateway", "application/json", `{"message":"Not Found"}`),
	notFound("AWS API Gateway, null", "application/json", `{"message":null}`),
	notFound("Spring", "application/json", `{"timestamp":"2026-11-29T12:00:00.000+00:00","status":404,"error":"Not Found","path":"/v1/qod/sessions"}`),
	notFound("Spring problem", "application/problem+json", `{"type":"about:blank","title":"Not Found","status":404,"detail":"No static resource v1/qod/sessions.","instance":"/v1/qod/sessions"}`),
	notFound("Azure API Management", "application/json", `{ "statusCode": 404, "message": "Resource not found" }`),
	notFound("Google Endpoints", "application/json", `{"error":{"code":404,"message":"Requested entity was not found.","status":"NOT_FOUND"}}`),
	notFound("Apigee", "application/json", `{"fault":{"faultstring":"Unable to identify proxy for host: secure and url: \/v1\/qod\/sessions","detail":{"errorcode":"messaging.adaptors.http.flow.ApplicationNotFound"}}}`),
	notFound("WSO2, numeric code", "application/json", `{"code":"404","type":"Status report","message":"Not Found","description":"The requested resource is not available."}`),
	notFound("ErrorResponse with a numeric code", "application/json", `{"status":404,"code":"404","message":"The requested resource is not available."}`),
	notFound("ErrorResponse with a number as code", "application/json", `{"status":404,"code":404,"message":"Not Found"}`),
	notFound("Go, plain text", "text/plain; charset=utf-8", "404 page not found\n"),
	notFound("Traefik, no type", "", "404 page not found\n"),
	notFound("empty object", "application/json", `{}`),
	notFound("null", "application/json", `null`),
	notFound("empty array", "application/json", `[]`),
}

func notFound(name, contentType, body string) GatewayAnswer {
	return GatewayAnswer{name, contentType, body, Status(404, body, "Content-Type", contentType)}
}
