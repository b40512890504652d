// SPDX-License-Identifier: Apache-2.0

package app

import (
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/auth/ante"
)

// newAnteHandler lists the checks of a transaction before its messages run, in order.
func newAnteHandler(app *App) sdk.AnteHandler {
	return sdk.ChainAnteDecorators(
		ante.NewSetUpContextDecorator(),                                   // sets the gas meter all others use
		ante.NewExtensionOptionsDecorator(nil),                            // no extension is known, so any is refused
		ante.NewValidateBasicDecorator(),                                  // stateless faults cost no store read
		ante.NewTxTimeoutHeightDecorator(),                                // late transactions are dropped before they are charged
		ante.NewValidateMemoDecorator(app.Auth),                           // bounds the memo
		ante.NewConsumeGasForTxSizeDecorator(app.Auth),                    // bytes cost gas before they are verified
		ante.NewDeductFeeDecorator(app.Auth, app.Bank, app.Feegrant, nil), // pays first; feegrant lets a cold operator pay for its relayer
		ante.NewSetPubKeyDecorator(app.Auth),                              // a first transaction brings the key the next ones verify with
		ante.NewValidateSigCountDecorator(app.Auth),                       // bounds multisig work
		ante.NewSigGasConsumeDecorator(app.Auth, ante.DefaultSigVerificationGasConsumer),
		ante.NewSigVerificationDecorator(app.Auth, app.encoding.TxConfig.SignModeHandler()), // also takes unordered nonces
		ante.NewIncrementSequenceDecorator(app.Auth),                                        // only after the signature is known to be good
	)
}
