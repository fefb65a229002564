package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// The types of ports, as the framework has them.
var (
	portsTypes = attributeTypes(portsSchema(true, ""))
	rangesType = portsTypes["ranges"].(attr.TypeWithElementType).ElementType() //nolint:forcetypeassert // see portsSchema
)

// portsSchema is the one schema of ports, for arguments and, computed, for listed sessions.
func portsSchema(computed bool, description string) schema.SingleNestedAttribute {
	port := func(description string) schema.Int64Attribute {
		a := schema.Int64Attribute{
			MarkdownDescription: description, Required: !computed, Computed: computed, CustomType: validators.WholeNumberType{},
		}
		if !computed {
			a.Validators = []validator.Int64{validators.Int64Between(1, 65535, "")}
		}
		return a
	}
	ports := schema.SingleNestedAttribute{
		MarkdownDescription: description,
		Optional:            !computed,
		Computed:            computed,
		Attributes: map[string]schema.Attribute{
			"ports": schema.ListAttribute{
				MarkdownDescription: "Single TCP or UDP ports, from 1 to 65535.",
				Optional:            !computed,
				Computed:            computed,
				ElementType:         validators.WholeNumberType{},
			},
			"ranges": schema.ListNestedAttribute{
				MarkdownDescription: "Ranges of ports, both ends included.",
				Optional:            !computed,
				Computed:            computed,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"from": port("First port, from 1 to 65535."),
					"to":   port("Last port, from 1 to 65535, not below `from`."),
				}},
			},
		},
	}
	if !computed {
		ports.Validators = []validator.Object{validators.AtLeastOneOf("ports", "ranges")}
	}
	return withType(ports)
}

// fromPorts is the ports as an API shows them; null for none.
func fromPorts(p *qod.Ports) types.Object {
	if p == nil {
		return types.ObjectNull(portsTypes)
	}
	single, ranges := types.ListNull(validators.WholeNumberType{}), types.ListNull(rangesType)
	if len(p.Ports) > 0 {
		var elements []attr.Value
		for _, port := range slices.Compact(slices.Sorted(slices.Values(p.Ports))) {
			elements = append(elements, validators.NewWholeNumber(port))
		}
		single = types.ListValueMust(validators.WholeNumberType{}, elements)
	}
	if len(p.Ranges) > 0 {
		var elements []attr.Value
		for _, r := range p.Ranges {
			limits := types.ObjectValueMust(memberTypes(rangesType), map[string]attr.Value{
				"from": validators.NewWholeNumber(r.From), "to": validators.NewWholeNumber(r.To),
			})
			if !slices.ContainsFunc(elements, limits.Equal) {
				elements = append(elements, limits)
			}
		}
		ranges = types.ListValueMust(rangesType, elements)
	}
	return types.ObjectValueMust(portsTypes, map[string]attr.Value{"ports": single, "ranges": ranges})
}

// toPorts is the ports of a configuration; nil without any. Those that are not known yet are left
// out.
func toPorts(o types.Object) *qod.Ports {
	if !isSet(o) {
		return nil
	}
	var ports qod.Ports
	for _, element := range elementsAt(o, "ports") {
		if port, ok := element.(validators.WholeNumber); ok && isSet(port) {
			ports.Ports = append(ports.Ports, port.ValueInt64())
		}
	}
	for _, element := range elementsAt(o, "ranges") {
		limits, _ := element.(types.Object)
		from, fromOK := limits.Attributes()["from"].(validators.WholeNumber)
		to, toOK := limits.Attributes()["to"].(validators.WholeNumber)
		if fromOK && toOK && isSet(from) && isSet(to) {
			ports.Ranges = append(ports.Ranges, qod.PortRange{From: from.ValueInt64(), To: to.ValueInt64()})
		}
	}
	return &ports
}

func elementsAt(o types.Object, name string) []attr.Value {
	list, _ := o.Attributes()[name].(types.List)
	return list.Elements()
}

// ports plans ports. Another order of the same ones changes nothing.
func (p *planner) ports(at path.Path, config, prior types.Object) types.Object {
	if isKnownWhole(config) && isSet(prior) && toPorts(config).Equal(toPorts(prior)) {
		return prior
	}
	if config.IsNull() {
		prior = p.withoutLeftOut(at, config, prior)
	}
	return planAttribute(p, at, config, prior)
}

// isKnownWhole reports whether an object is set, and nothing within it is unknown.
func isKnownWhole(o types.Object) bool {
	encoded, err := o.ToTerraformValue(context.Background())
	return err == nil && isSet(o) && encoded.IsFullyKnown()
}
