// SPDX-License-Identifier: Apache-2.0

package gateway

import "time"

// Duration is a time.Duration that is written like "30s" or "5m".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// std is the standard library's form.
func (d Duration) std() time.Duration { return time.Duration(d) }

// Model is a name under which customers ask for an asset.
type Model struct {
	// Name is the name; ModelID and AdapterID the asset ids in hex, AdapterID empty for a base model.
	Name      string `toml:"name"`
	ModelID   string `toml:"model_id"`
	AdapterID string `toml:"adapter_id"`
}

// Config configures a gateway. Default gives every number a value.
type Config struct {
	// ChainID is the CometBFT chain-id, EVMChainID the EIP-155 id of the receipts' domain.
	ChainID    string `toml:"chain_id"`
	EVMChainID uint64 `toml:"evm_chain_id"`
	// KeyFile holds the key that signs authorisations, PaymentSecretFile the secret of the payment references: 64 hex digits each,
	// readable by their owner alone.
	KeyFile           string `toml:"key_file"`
	PaymentSecretFile string `toml:"payment_secret_file"`
	// Ledger is the SQLite file of API keys, credit and jobs.
	Ledger string `toml:"ledger"`

	// Listen is the customers' address, AdminListen the loopback address of the admin interface.
	Listen      string `toml:"listen"`
	AdminListen string `toml:"admin_listen"`
	// AdminTokenFile holds the bearer token of the admin interface.
	AdminTokenFile string `toml:"admin_token_file"`
	// TLSCertFile and TLSKeyFile make the customers' listener speak TLS.
	TLSCertFile string `toml:"tls_cert_file"`
	TLSKeyFile  string `toml:"tls_key_file"`

	// Models are the names customers may ask for. Where none is given, the names are those that hosts registered.
	Models []Model `toml:"models"`
	// OwnedBy is what the model list says of every model.
	OwnedBy string `toml:"owned_by"`

	// AllowSimulated lets hosts with stand-ins for GPUs take work, AllowHTTP hosts without TLS, AllowPrivate hosts at loopback and
	// private addresses. All three are for networks on one machine.
	AllowSimulated bool `toml:"allow_simulated"`
	AllowHTTP      bool `toml:"allow_http"`
	AllowPrivate   bool `toml:"allow_private"`

	Limits   Limits   `toml:"limits"`
	Timeouts Timeouts `toml:"timeouts"`
	Hosts    Hosts    `toml:"hosts"`
	Receipts Receipts `toml:"receipts"`
}

// Limits bound what customers and hosts can make the gateway hold.
type Limits struct {
	// MaxBodyBytes bounds a request, MaxHeaderBytes its headers, MaxAnswerBytes an answer that is not streamed and MaxEventBytes one
	// event of a stream.
	MaxBodyBytes   int `toml:"max_body_bytes"`
	MaxHeaderBytes int `toml:"max_header_bytes"`
	MaxAnswerBytes int `toml:"max_answer_bytes"`
	MaxEventBytes  int `toml:"max_event_bytes"`
	// MaxConcurrent bounds the requests in progress, MaxConcurrentPerKey those of one API key.
	MaxConcurrent       int `toml:"max_concurrent"`
	MaxConcurrentPerKey int `toml:"max_concurrent_per_key"`
	// RatePerSecond and RateBurst bound the requests of one API key.
	RatePerSecond int `toml:"rate_per_second"`
	RateBurst     int `toml:"rate_burst"`
	// DefaultMaxTokens is asked for where the request does not say; MaxOutputTokens bounds what it may say, MaxChoices the number of
	// answers to one request.
	DefaultMaxTokens uint64 `toml:"default_max_tokens"`
	MaxOutputTokens  uint64 `toml:"max_output_tokens"`
	MaxChoices       uint64 `toml:"max_choices"`
	// PromptOverheadTokens is added to the bytes of a request to bound its prompt: what chat templates add.
	PromptOverheadTokens uint64 `toml:"prompt_overhead_tokens"`
}

// Timeouts bound what customers and hosts can make the gateway wait for.
type Timeouts struct {
	// Header and Body bound the reading of a request, Idle a connection between two.
	Header Duration `toml:"header"`
	Body   Duration `toml:"body"`
	Idle   Duration `toml:"idle"`
	// Write bounds each write of an answer: a customer that takes nothing for so long is cut off.
	Write Duration `toml:"write"`
	// Dial bounds connecting to a host, FirstByte the wait for a stream's first event, HostIdle the wait between two.
	Dial      Duration `toml:"dial"`
	FirstByte Duration `toml:"first_byte"`
	HostIdle  Duration `toml:"host_idle"`
	// Job bounds a job and is the life of its authorisation.
	Job Duration `toml:"job"`
	// Receipt is how long the end of a stream waits for its receipt.
	Receipt Duration `toml:"receipt"`
	// Drain is how long running requests may go on when the gateway stops.
	Drain Duration `toml:"drain"`
}

// Hosts says how the gateway knows and leaves alone hosts.
type Hosts struct {
	// Refresh is how often the table is read from the chain, MaxAge how old it may be.
	Refresh Duration `toml:"refresh"`
	MaxAge  Duration `toml:"max_age"`
	// Pause follows a failure and doubles up to MaxPause; WrongReceiptPause follows a wrong receipt.
	Pause             Duration `toml:"pause"`
	MaxPause          Duration `toml:"max_pause"`
	WrongReceiptPause Duration `toml:"wrong_receipt_pause"`
	// FullPause follows a refusal for want of room.
	FullPause Duration `toml:"full_pause"`
	// MaxOpen bounds the jobs that a host has open with this gateway, running or not countersigned: hosts refuse more.
	MaxOpen int `toml:"max_open"`
	// MaxTries bounds the hosts that one request is sent to.
	MaxTries int `toml:"max_tries"`
}

// Receipts says how late receipts and countersignatures are looked after.
type Receipts struct {
	// Interval is how often they are, Batch how many jobs are taken in one pass.
	Interval Duration `toml:"interval"`
	Batch    int      `toml:"batch"`
	// Timeout bounds one question to a host.
	Timeout Duration `toml:"timeout"`
	// Grace is how long a job without receipt is kept before a host that knows nothing of it is believed.
	Grace Duration `toml:"grace"`
	// GiveUp is the age at which an unanswered job is released and an undelivered countersignature is dropped.
	GiveUp Duration `toml:"give_up"`
	// CancelSlackTokens is how many output tokens beyond those seen are paid for when a customer breaks off.
	CancelSlackTokens uint64 `toml:"cancel_slack_tokens"`
}

// Default returns a configuration whose numbers suit a small gateway.
func Default() Config {
	return Config{
		Listen: ":8090", AdminListen: "127.0.0.1:8091", OwnedBy: "gpucoord",
		Limits: Limits{
			MaxBodyBytes:         2_000_000, // hosts take 2 MiB; the rest is for what the gateway adds
			MaxHeaderBytes:       16 << 10,  // an API key and a few filters
			MaxAnswerBytes:       16 << 20,  // 131,072 output tokens with log probabilities
			MaxEventBytes:        1 << 20,   // one token with 20 log probabilities is a few KiB
			MaxConcurrent:        1024,      // each holds one request and a few buffers
			MaxConcurrentPerKey:  64,
			RatePerSecond:        50,
			RateBurst:            100,
			DefaultMaxTokens:     2048,    // what is not said is still reserved for
			MaxOutputTokens:      131_072, // the longest context that is common
			MaxChoices:           16,
			PromptOverheadTokens: 256, // default system prompts and role markers
		},
		Timeouts: Timeouts{
			Header: sec(10), Body: sec(30), Idle: sec(120), Write: sec(30), Dial: sec(5),
			FirstByte: sec(120), // a long prompt prefills for a minute; then another host may try
			HostIdle:  sec(120),
			Job:       sec(1800), // a host's own bound
			Receipt:   sec(5),    // it follows the answer at once
			Drain:     sec(30),
		},
		Hosts: Hosts{
			Refresh: sec(10), MaxAge: sec(300), // five minutes without a node change little about hosts
			Pause: sec(5), MaxPause: sec(300), WrongReceiptPause: sec(1800), MaxTries: 3,
			FullPause: sec(1), // a countersignature that is on its way makes room
			MaxOpen:   32,     // a host's max_uncountersigned (protocol §3)
		},
		Receipts: Receipts{
			Interval: sec(5), Batch: 64, Timeout: sec(10),
			Grace:             sec(120), // longer than a host takes to notice that a connection is gone
			GiveUp:            sec(48 * 3600),
			CancelSlackTokens: 2048, // what the buffers of a slow customer's connection hold
		},
	}
}

func sec(n int64) Duration { return Duration(time.Duration(n) * time.Second) }
