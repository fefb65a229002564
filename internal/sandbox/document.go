package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/uuid"
)

// loadDocument parses an embedded API document.
func loadDocument(text []byte) *openapi3.T {
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		panic("sandbox: the API document cannot be read: " + err.Error())
	}
	return document
}

// validationOptions are the options for kin-openapi. It checks a format only if it is given a
// validator for it. They are set here and not in the package's global tables, which all users in
// the process share.
func validationOptions() *openapi3filter.Options {
	return &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, // authorize checks it
		SchemaValidationOptions: []openapi3.SchemaValidationOption{
			openapi3.WithStringFormatValidator("uri", openapi3.NewCallbackValidator(absoluteURL)),
			openapi3.WithStringFormatValidator("uuid", openapi3.NewCallbackValidator(isUUID)),
			openapi3.WithStringFormatValidator("ipv4", openapi3.NewIPValidator(true)),
			openapi3.WithStringFormatValidator("ipv6", openapi3.NewIPValidator(false)),
			openapi3.DisableSchemaErrorDetails(), // they quote the value, which may be a phone number
		},
	}
}

func absoluteURL(value string) error {
	if u, err := url.Parse(value); err != nil || !u.IsAbs() || u.Host == "" {
		return errors.New("is not an absolute URL")
	}
	return nil
}

func isUUID(value string) error {
	// uuid.Parse also accepts braces, a urn: prefix and no hyphens.
	if _, err := uuid.Parse(value); err != nil || len(value) != 36 {
		return errors.New("is not a UUID")
	}
	return nil
}

// validateRequest checks a request to the API against its document. The error is for the client: it
// names the member and the rule, but does not repeat the value.
//
//nolint:contextcheck // it reads what is in memory
func validateRequest(c call) error {
	err := openapi3filter.ValidateRequest(c.request.Context(), validationInput(c))
	if err == nil {
		return nil
	}
	if broken, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		where := strings.Join(broken.JSONPointer(), ".")
		if where == "" {
			where = "the request"
		}
		var parameter *openapi3filter.RequestError
		if errors.As(err, &parameter) && parameter.Parameter != nil {
			where = parameter.Parameter.Name
		}
		return fmt.Errorf("%s: %s", where, broken.Reason)
	}
	return err
}

// validationInput is a call in the form that kin-openapi requires.
func validationInput(c call) *openapi3filter.RequestValidationInput {
	parameters := map[string]string{}
	if _, name, _ := c.route.split(); name != "" {
		parameters[name] = c.parameter
	}
	item := c.route.document.Paths.Value(c.route.template)
	request := &http.Request{
		Method: c.request.Method, URL: c.request.URL, Header: c.request.Header,
		Body: io.NopCloser(bytes.NewReader(c.body)), ContentLength: int64(len(c.body)),
	}
	return &openapi3filter.RequestValidationInput{
		Request:    request,
		PathParams: parameters,
		Options:    validationOptions(),
		Route: &routers.Route{
			Spec: c.route.document, Path: c.route.template, PathItem: item,
			Method: request.Method, Operation: item.GetOperation(request.Method),
		},
	}
}
