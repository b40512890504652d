// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"context"
	"fmt"
)

// SetVersion makes the file look as if another version of the program had written it.
func SetVersion(ctx context.Context, l *Ledger, version int) error {
	_, err := l.db.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version))
	return err
}
