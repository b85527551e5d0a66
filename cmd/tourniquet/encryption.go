package main

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func (sh *shell) encryptionCmd() *cobra.Command {
	offline := func(use, short, long string, run func(*config.Config, []string) error, args cobra.PositionalArgs) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Long: long, Args: args, RunE: func(_ *cobra.Command, args []string) error {
			c, err := sh.load()
			if err != nil {
				return err
			}
			return run(c, args)
		}}
	}
	return group("encryption", "The key files: what they hold, and how their keys are changed",
		offline("init", "Make the key ring and the signing key, for several processes", "Make both key files where they are missing. A single process makes them itself; several must share them, so they are\n"+
			"made once, here, and copied: the ring to every process, the signing key to those of the role api alone.", sh.encryptionInit, cobra.NoArgs),
		offline("show", "Name the keys in both files", "", sh.encryptionShow, cobra.NoArgs),
		offline("public", "Print the public keys, for workers", "Print the file that encryption.public_keys of a worker names. Nothing in it is secret.", sh.encryptionPublic, cobra.NoArgs),
		offline("add", "Put a new key into the ring", "The new key decrypts as soon as a process has read it, and encrypts nothing yet. Copy the ring to every process, restart\n"+
			"them, and only then: tourniquet encryption activate KEY", sh.encryptionAdd, cobra.NoArgs),
		offline("activate KEY", "Let a key of the ring encrypt from now on", "What older keys encrypted stays as it is: nothing is encrypted again, and old keys stay in the ring for it.", sh.encryptionActivate, cobra.ExactArgs(1)),
		offline("rotate-signing", "Make a new signing key", "The new key signs decisions about runs that begin after the api was started again; the old ones stay for older runs. Give\n"+
			"workers the new public keys (encryption public) and restart them before the api.", sh.encryptionRotateSigning, cobra.NoArgs))
}

func (sh *shell) encryptionInit(c *config.Config, _ []string) error {
	if err := os.MkdirAll(dataDir(c), 0o700); err != nil {
		return err
	}
	if _, err := seal.LoadOrCreate(ringPath(c), rand.Reader); err != nil {
		return err
	}
	if _, err := seal.LoadOrCreateSigner(signerPath(c)); err != nil {
		return err
	}
	return sh.encryptionShow(c, nil)
}

func (sh *shell) encryptionShow(c *config.Config, _ []string) error {
	ids, active, err := seal.Keys(ringPath(c))
	if err != nil {
		return err
	}
	var public map[string]string
	signer, err := seal.LoadSigner(signerPath(c))
	switch {
	case err == nil:
		public = signer.PublicKeys()
	case errors.Is(err, fs.ErrNotExist): // a worker has none
		signer = &seal.Signer{}
	default:
		return err
	}
	if sh.JSON {
		return sh.printJSON(map[string]any{"ring": ids, "active": active, "signing": signer.ID, "public_keys": public})
	}
	for _, id := range ids {
		word := "decrypts"
		if id == active {
			word = "encrypts and decrypts"
		}
		if err := sh.say("ring     %-28s %s", id, word); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(public)) {
		word := "signs for runs that began before the newest"
		if id == signer.ID {
			word = "signs"
		}
		if err := sh.say("signing  %-28s %s", id, word); err != nil {
			return err
		}
	}
	return nil
}

func (sh *shell) encryptionPublic(c *config.Config, _ []string) error {
	signer, err := seal.LoadSigner(signerPath(c))
	if err != nil {
		return err
	}
	body, err := seal.PublicFile(signer.PublicKeys())
	if err == nil {
		_, err = sh.Out.Write(body)
	}
	return err
}

func (sh *shell) encryptionAdd(c *config.Config, _ []string) error {
	id, err := seal.AddKey(ringPath(c), rand.Reader)
	if err != nil {
		return err
	}
	sh.talk("copy %s to every process and restart them; then: tourniquet encryption activate %s", ringPath(c), id)
	return sh.encryptionShow(c, nil)
}

func (sh *shell) encryptionActivate(c *config.Config, args []string) error {
	if err := seal.Activate(ringPath(c), args[0]); err != nil {
		return err
	}
	sh.talk("copy %s to every process and restart them; back it up, and keep the old keys in it", ringPath(c))
	return sh.encryptionShow(c, nil)
}

func (sh *shell) encryptionRotateSigning(c *config.Config, _ []string) error {
	if _, err := seal.RotateSigner(signerPath(c)); err != nil {
		return err
	}
	sh.talk("give workers the output of: tourniquet encryption public; restart them, then the api")
	return sh.encryptionShow(c, nil)
}
