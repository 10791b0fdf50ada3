-- For tests and the demo: whoever reaches the pubsub component may create nodes there, anonymous users
-- too. Prosody leaves that to its admins and has no option for it.

local service = module:depends("pubsub").service;

-- With the access model "open" a stranger counts as a member, with any other as nobody.
for _, affiliation in ipairs { "none", "member" } do
	service.config.capabilities[affiliation].create = true;
end

-- A node that does not exist is made by publishing to it, and belongs to whoever did. Prosody would make
-- one that belongs to nobody, and only for those who may publish anywhere.
local publish = service.publish;
function service:publish(node, actor, id, item, requested_config)
	if not self.nodes[node] then
		local ok, err = self:create(node, actor, requested_config);
		if not ok then return ok, err; end
	end
	return publish(self, node, actor, id, item, requested_config);
end

-- Where everybody may publish, everybody may take back what was published.
local retract = service.retract;
function service:retract(node, actor, id, notify)
	local obj = self.nodes[node];
	if obj and obj.config.publish_model == "open" and obj.affiliations[self.config.normalize_jid(actor)] ~= "outcast" then
		actor = true;
	end
	return retract(self, node, actor, id, notify);
end

-- What a node is like whose creator did not say.
service.node_defaults.max_items = module:get_option_number("epode_default_items", 20);
if module:get_option_boolean("epode_open_publish", false) then
	service.node_defaults.publish_model = "open";
end
